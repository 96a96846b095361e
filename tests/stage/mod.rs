//! A stage with scripted providers: no socket, virtual time, every send and end on one log.
#![allow(dead_code)]

use async_trait::async_trait;
use photofinish::clock::Clock;
use photofinish::dialect::{Decoder, Emit};
use photofinish::ident::ProviderId;
use photofinish::plan::{LoadSchedule, Schedule};
use photofinish::provider::{Call, Capabilities, Provider, RequestError};
use photofinish::record::{Calendar, Connect, Manifest, Reads, Role, RoundState, Stamps, TargetFacts, Trial};
use photofinish::runner::{Before, Extent, LoadInputs, Outcome, Progress, Racer, RunInputs, Stop, run, run_load};
use photofinish::store::{Journal, Run};
use photofinish::timeline::{EndMark, Ended, ErrorKind, Mark, Phase, ProviderError, Stage as Step, StreamEvent, Usage};
use photofinish::wire::{ConnectFailure, Connection, Endpoint, ExchangeFacts, Frame, Framing, Head, Transport, Watch, WireRequest};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

pub const START: &str = "2026-11-24T10:15:00Z";

/// How a scripted provider replies to a request.
#[derive(Clone, Copy)]
pub enum Reply {
    /// One word after so many milliseconds, then the end.
    Text(u64),
    /// An HTTP error after 10 ms.
    Status(u16),
    /// 429 after 10 ms, with a Retry-After of so many seconds.
    TryLater(u32),
    /// No connection.
    Refused,
    /// A word after so many milliseconds; then the connection is gone.
    Broken(u64),
    /// Nothing, ever.
    Silent,
}

/// What happened on the stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub target: String,
    pub what: What,
    pub ms: u64,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Connected,
    Sent,
    Ended,
}

pub type Script = Arc<dyn Fn(u32) -> Reply + Send + Sync>;

/// One scripted target: `script(n)` is its reply to the n-th request, from 1.
#[derive(Clone)]
pub struct Actor {
    name: String,
    script: Script,
    log: Arc<Mutex<Vec<Seen>>>,
    made: Arc<Mutex<Vec<u64>>>,
    asked: Arc<Mutex<u32>>,
    clock: Clock,
    id: ProviderId,
}

impl Actor {
    fn log(&self, what: What, text: &str) {
        let seen = Seen { target: self.name.clone(), what, ms: self.clock.now().0 / 1_000_000 - 1000, text: text.to_owned() };
        self.log.lock().unwrap().push(seen);
    }
}

impl Provider for Actor {
    fn id(&self) -> &ProviderId {
        &self.id
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }
    fn request(&self, call: &Call<'_>) -> Result<WireRequest, RequestError> {
        self.made.lock().unwrap().push(self.clock.now().0 / 1_000_000 - 1000);
        let body = format!("{}|{}", call.max_tokens.map_or(String::new(), |n| n.to_string()), call.prompt);
        let (method, path) = ("POST", "/".to_owned());
        let sizes = (0, 0);
        Ok(WireRequest {
            method,
            path,
            headers: vec![],
            body: body.into_bytes(),
            framing: Framing::Sse,
            largest_line: sizes.0,
            largest_body: sizes.1,
        })
    }
    fn framing(&self) -> Framing {
        Framing::Sse
    }
    fn decoder(&self, _target: &TargetFacts) -> Box<dyn Decoder> {
        Box::new(Words)
    }
}

/// Data is text, `[DONE]` the end; a body without frames is an error.
struct Words;

impl Decoder for Words {
    fn feed(&mut self, frame: &Frame<'_>, emit: Emit<'_>) {
        match frame.data {
            b"[DONE]" => emit(StreamEvent::End(EndMark::Done)),
            text => emit(StreamEvent::Delta { phase: Phase::Content, text: std::str::from_utf8(text).unwrap(), held: 0 }),
        }
        emit(StreamEvent::Usage(Usage { total: Some(10), ..Usage::default() }));
    }
    fn body(&mut self, status: u16, _content_type: Option<&str>, body: &[u8], emit: Emit<'_>) {
        let kind = match status {
            401 => ErrorKind::Auth,
            429 => ErrorKind::RateLimit,
            _ => ErrorKind::Server,
        };
        let message = String::from_utf8_lossy(body).into_owned();
        emit(StreamEvent::Error(ProviderError {
            kind,
            code: None,
            kind_raw: None,
            message,
            http_status: Some(status),
            retry_after_s: None,
            in_stream: false,
        }));
    }
    fn finish(&mut self, _emit: Emit<'_>) {}
}

#[async_trait]
impl Transport for Actor {
    async fn connect(&self, _endpoint: &Endpoint) -> Result<Box<dyn Connection>, ConnectFailure> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let next = *self.asked.lock().unwrap() + 1;
        if matches!((self.script)(next), Reply::Refused) {
            *self.asked.lock().unwrap() += 1;
            let connect = Connect::default();
            return Err(ConnectFailure { stage: Step::Tcp, message: "refused".into(), timed_out: false, local: false, connect });
        }
        self.log(What::Connected, "");
        Ok(Box::new(Line { actor: self.clone(), stamps: Stamps::default(), served: 0, open: true }))
    }
}

struct Line {
    actor: Actor,
    stamps: Stamps,
    served: u32,
    open: bool,
}

#[async_trait]
impl Connection for Line {
    async fn exchange(&mut self, request: &WireRequest, watch: &mut dyn Watch) -> Ended {
        let clock = self.actor.clock.clone();
        self.actor.log(What::Sent, std::str::from_utf8(&request.body).unwrap());
        self.stamps = Stamps { first_write: Some(clock.now()), last_write: Some(clock.now()), ..Stamps::default() };
        (self.served, self.open) = (self.served + 1, false);
        let reply = {
            let mut asked = self.actor.asked.lock().unwrap();
            *asked += 1;
            (self.actor.script)(*asked)
        };
        let head = |status| Head { status, headers: &[] };
        let ended = match reply {
            Reply::Text(ms) | Reply::Broken(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                watch.head(head(200));
                let data: &[&[u8]] = if matches!(reply, Reply::Text(_)) { &[b"word", b"[DONE]"] } else { &[b"word"] };
                let now = clock.now();
                for (number, data) in data.iter().enumerate() {
                    watch.frame(Frame { name: "", data, unterminated: false });
                    let chunk = number as u32 + 1;
                    watch.mark(Mark { at: now, after: now, user: now, read: 1, chunk, exact: true });
                }
                match reply {
                    Reply::Text(_) => Ended::Complete,
                    _ => Ended::ClosedEarly { message: "reset".into() },
                }
            }
            Reply::Status(status) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                watch.head(head(status));
                watch.body(b"no such luck");
                Ended::Complete
            }
            Reply::TryLater(seconds) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let headers = [("retry-after".to_owned(), seconds.to_string())];
                watch.head(Head { status: 429, headers: &headers });
                watch.body(b"no such luck");
                Ended::Complete
            }
            Reply::Silent | Reply::Refused => std::future::pending().await,
        };
        self.open = ended == Ended::Complete;
        self.stamps.closed = Some(clock.now());
        self.actor.log(What::Ended, "");
        ended
    }
    fn facts(&self) -> ExchangeFacts {
        let connect = Connect { id: 1, reused: 1 < self.served, ..Connect::default() };
        ExchangeFacts { stamps: self.stamps.clone(), connect, reads: Reads { count: 1, bytes: 1, lag_ns: vec![1000], clock_steps: 0 } }
    }
    fn reusable(&self) -> bool {
        self.open
    }
}

/// What a run on the stage is made of.
pub struct Play {
    pub actors: Vec<(&'static str, Script)>,
    pub prompts: u32,
    pub rounds: u32,
    pub change: fn(&mut Manifest),
    /// Stops so many milliseconds after the start.
    pub stop: Vec<(u64, Stop)>,
    pub results: PathBuf,
    /// Goes on with this run.
    pub resume: Option<PathBuf>,
    /// Virtual wall-clock time at the beginning.
    pub wall: &'static str,
    /// How much of the run this sitting does.
    pub extent: Extent,
    /// When rounds are due, where a calendar says so.
    pub calendar: Option<Calendar>,
    /// The clock of this sitting, for scripts that look at it; else one that begins at `wall`.
    pub clock: Option<Clock>,
    /// So many milliseconds after the start the wall clock moves by so many seconds: it is set, or the machine slept.
    pub steps: Vec<(u64, i64)>,
}

/// How it went.
pub struct Played {
    pub outcome: Outcome,
    pub folder: PathBuf,
    pub log: Vec<Seen>,
    /// When requests were made, milliseconds, whether or not they were sent.
    pub made: Vec<u64>,
    pub progress: Vec<Progress>,
    pub run: Run,
}

pub fn always(reply: Reply) -> Script {
    Arc::new(move |_| reply)
}

impl Play {
    pub fn new(results: &Path, actors: Vec<(&'static str, Script)>) -> Play {
        let (change, results) = ((|_: &mut Manifest| {}) as fn(&mut Manifest), results.to_owned());
        Play {
            actors,
            prompts: 2,
            rounds: 2,
            change,
            stop: vec![],
            results,
            resume: None,
            wall: START,
            extent: Extent::All,
            calendar: None,
            clock: None,
            steps: vec![],
        }
    }

    pub async fn perform(self) -> Played {
        let clock = self.clock.clone().unwrap_or_else(|| Clock::virtual_from(self.wall.parse().unwrap()));
        let mut manifest = self.manifest();
        manifest.design.calendar = self.calendar.clone();
        (self.change)(&mut manifest);
        let keep = || Box::new(|_: &mut photofinish::record::Line| {});
        let (journal, before) = match &self.resume {
            Some(folder) => {
                let (journal, run) = Journal::resume(folder, keep()).unwrap();
                manifest = Manifest { budget: manifest.budget, ..run.manifest.clone() };
                (journal, Before::of(&run))
            }
            None => (Journal::create(&self.results, &manifest, "", keep()).unwrap(), Before::default()),
        };
        let log = Arc::new(Mutex::new(Vec::new()));
        let made = Arc::new(Mutex::new(Vec::new()));
        let actor = |(name, script): &(&str, Script)| Actor {
            name: (*name).to_owned(),
            script: script.clone(),
            log: log.clone(),
            made: made.clone(),
            asked: Arc::default(),
            clock: clock.clone(),
            id: ProviderId::new("stage").unwrap(),
        };
        let endpoint = Endpoint { host: "stage".into(), port: 1, tls: false, ca_file: None, proxy: None, http2: false, connect_ms: 1000 };
        let racer = |(facts, actor): (&TargetFacts, Actor)| {
            let (provider, transport, endpoint) = (Arc::new(actor.clone()), Arc::new(actor), endpoint.clone());
            Racer { facts: facts.clone(), provider, endpoint, transport, key: None }
        };
        let racers = manifest.targets.iter().zip(self.actors.iter().map(actor)).map(racer).collect();
        let prompts = manifest.dataset.prompts.iter().map(|prompt| (prompt.id.clone(), format!("Ask {}", prompt.id))).collect();
        let schedule = Schedule::of(&manifest).unwrap();
        let (stop, stopped) = watch::channel(Stop::Go);
        let (progress, mut told) = mpsc::unbounded_channel();
        let conductor = async {
            let begun = clock.now();
            for (ms, level) in &self.stop {
                clock.sleep_until(begun.plus(ms * 1_000_000)).await;
                stop.send_replace(*level);
            }
            std::future::pending::<()>().await;
        };
        let clockmaker = async {
            let (begun, Clock::Virtual(start)) = (clock.now(), &clock) else { unreachable!() };
            for (ms, seconds) in &self.steps {
                clock.sleep_until(begun.plus(ms * 1_000_000)).await;
                start.step(seconds * 1_000_000_000);
            }
            std::future::pending::<()>().await;
        };
        // A manifest with a load design is run as one.
        let (run_clock, extent) = (clock.clone(), self.extent);
        let run = async move {
            let (clock, stop) = (run_clock, stopped);
            match LoadSchedule::of(&manifest) {
                None => run(RunInputs { manifest, schedule, prompts, racers, journal, before, clock, stop, extent, progress }).await,
                Some(schedule) => run_load(LoadInputs { manifest, schedule, prompts, racers, journal, clock, stop, progress }).await,
            }
        };
        let raced = tokio::select! { raced = run => raced, () = conductor => unreachable!(), () = clockmaker => unreachable!() };
        let mut progress = Vec::new();
        while let Ok(said) = told.try_recv() {
            progress.push(said);
        }
        let run = Run::open(&raced.folder).unwrap();
        let log = log.lock().unwrap().clone();
        let made = made.lock().unwrap().clone();
        Played { outcome: raced.outcome, folder: raced.folder, log, made, progress, run }
    }

    fn manifest(&self) -> Manifest {
        let target = |name: &str| {
            format!(
                r#"{{"id":"{name}","provider":"stage","title":"Stage","model":"m","base_url":"http://stage","think_tags":"off",
                "sampling":{{"max_tokens":100}}}}"#
            )
        };
        let targets: Vec<String> = self.actors.iter().map(|(name, _)| target(name)).collect();
        let prompt = |n| format!(r#"{{"id":"q{n}","digest":"d","chars":6}}"#);
        let prompts: Vec<String> = (1..=self.prompts).map(prompt).collect();
        let json = format!(
            r#"{{"schema":1,"tool":{{"name":"photofinish","version":"0.1.0"}},"run":"{:06x}","name":"play","created":"{START}","zone":"UTC",
            "seed":7,"salt":"5a17","plan_digest":"d1","design":{{"rounds":{},"prompts":{},"at_once":true,"warm_up":true,"cache_defeat":true,
            "capped_is_ok":true,"stall_ms":500.0,"min_tokens":16}},"limits":{{"connect_ms":1000,"first_token_ms":60000,"idle_ms":60000,
            "total_ms":60000,"largest_line":1000,"largest_body":1000}},"targets":[{}],"dataset":{{"name":"mine","digest":"d2","language":"en",
            "purpose":"speed","prompts":[{}]}},"host":{{"os":"linux","arch":"x86_64","cpus":2}}}}"#,
            self.rounds,
            self.rounds,
            self.prompts,
            targets.join(","),
            prompts.join(",")
        );
        serde_json::from_str(&json).unwrap()
    }
}

impl Played {
    pub fn scored(&self) -> Vec<&Trial> {
        self.run.trials.iter().filter(|trial| trial.role == Role::Scored).collect()
    }
    pub fn of(&self, target: &str, what: What) -> Vec<&Seen> {
        self.log.iter().filter(|seen| seen.target == target && seen.what == what).collect()
    }
    /// When each round began, by the wall clock.
    pub fn begun(&self) -> Vec<(u32, jiff::Timestamp)> {
        let begun = self.run.rounds.iter().filter(|line| line.state == RoundState::Begun);
        begun.map(|line| (line.round, line.wall)).collect()
    }
    pub fn states(&self) -> Vec<(u32, RoundState)> {
        self.run.rounds.iter().map(|line| (line.round, line.state)).collect()
    }
    pub fn blocks(&self) -> Vec<(u32, u32, u32)> {
        photofinish::store::scored_blocks(&self.run).iter().map(|block| (block.round, block.block, block.attempt)).collect()
    }
}
