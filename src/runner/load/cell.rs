//! One cell: the loop in which whoever asks next is set against whatever ends next.

use super::super::hold::Entry;
use super::super::lag::LagWatch;
use super::super::lane::{Asked, Planned, Setting, landing, not_sent, reply_at_most, send};
use super::super::pace::{self, Flight};
use super::super::{Outcome, Progress, Racer, Stop, usable, words};
use super::ahead::{Ahead, Ready};
use super::halt::Seen;
use super::pool::Pool;
use super::source::{Source, Turn};
use super::{Halted, LoadCourse, LoadPrompt, stopping};
use crate::clock::Clock;
use crate::plan::{LoadAsk, LoadCell};
use crate::record::{Line, LoadPlace, NotSent, Role, StageState, Trial};
use crate::units::Stamp;
use crate::wire::Connection;
use futures_util::future::{Either, ready};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

/// How a cell ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CellEnd {
    /// As planned.
    Whole,
    /// Its target is asked no more.
    Stopped(String),
    /// The run ends with it.
    Ended(Outcome),
}

/// What all requests of a cell share.
#[derive(Clone, Copy)]
struct Scene<'c> {
    cell: &'c LoadCell,
    racer: &'c Racer,
    setting: &'c Setting,
    prompts: &'c [LoadPrompt],
}

/// A request that is due.
struct Due {
    turn: Turn,
    ready: Ready,
}

/// A request that is over.
struct Done {
    asked: Asked,
    turn: Turn,
    /// The prompt by its place in the manifest.
    prompt: usize,
    flight: Flight,
}

/// A cell while it runs.
struct Running<'l> {
    course: &'l mut LoadCourse,
    pool: Pool,
    source: Source,
    lag: LagWatch,
    seen: Seen,
    /// Nothing more is sent.
    closed: bool,
    end: CellEnd,
    /// A request that its target's pace holds back, and until when; none: until one in flight has ended.
    held: Option<(Due, Option<Stamp>)>,
    /// Until when the target was held: what was due before was held too.
    held_until: Stamp,
}

impl LoadCourse {
    /// Runs one cell to its end, and says how it came about.
    pub(super) async fn cell(&mut self, cell: &LoadCell) -> CellEnd {
        let (setting, racer, prompts) = (self.setting.clone(), self.racers[cell.target].clone(), self.prompts.clone());
        let (design, clock) = (self.schedule.design().clone(), setting.clock.clone());
        // Before connections are opened, so that none of them waits for it.
        let (of, all) = ((&racer, &setting, &*prompts), design.until.requests(&cell.offered));
        let mut ahead = Ahead::of(self.schedule.asks(cell, self.manifest.design.cache_defeat), of, &cell.offered, all);
        let pool = match design.cold {
            true => Pool::none(&cell.offered),
            false => Pool::open(&racer, &setting, &cell.offered, design.max_in_flight).await,
        };
        let opened = pool.opened;
        self.state(cell, StageState::Begun, opened, None);
        let (pass, stage, target) = (cell.pass, cell.stage, racer.facts.id.clone());
        self.tell(Progress::Stage { pass, stage, target, requests: all });

        let source = Source::new(&cell.offered, &design.until, self.schedule.arrivals(cell), clock.now(), &clock);
        let scene = Scene { cell, racer: &racer, setting: &setting, prompts: &prompts };
        let most = design.max_in_flight.map_or(usize::MAX, |most| most as usize);
        let mut cell_run = Running {
            course: self,
            pool,
            source,
            lag: LagWatch::start(&clock, opened),
            seen: Seen::default(),
            closed: false,
            end: CellEnd::Whole,
            held: None,
            held_until: Stamp(0),
        };
        let next_due = AtomicU64::new(u64::MAX);
        let mut flying = FuturesUnordered::new();
        loop {
            next_due.store(cell_run.next_due(), Ordering::Relaxed);
            let now = tokio::select! {
                // Whoever is due is sent first: what has come in has its time from the kernel, and can wait.
                biased;
                turn = cell_run.source.next(), if !cell_run.closed && cell_run.held.is_none() => {
                    let due = turn.and_then(|turn| Some(Due { turn, ready: ahead.take()? }));
                    cell_run.closed = due.is_none();
                    due
                }
                due = until_free(&mut cell_run.held, &clock), if !cell_run.closed => Some(due),
                Some(done) = flying.next(), if !flying.is_empty() => {
                    cell_run.ended(scene, done);
                    cell_run.held.take().map(|(due, _)| due)
                }
                // What is in flight is read to its end; nothing new is sent.
                () = stopping(&setting.stop), if !cell_run.closed => {
                    cell_run.closed = true;
                    None
                }
                // Nothing is due and nothing has come in: the time for the next request but so many.
                () = tokio::task::yield_now(), if !cell_run.closed && ahead.wants_more() => {
                    ahead.make_one();
                    None
                }
                else => break,
            };
            if let Some(due) = now.filter(|_| !cell_run.closed)
                && let Some((due, flight, held_since)) = cell_run.admit(scene, due, flying.len() < most)
            {
                let connection = cell_run.pool.take(due.turn.user);
                let mut asking = Box::pin(one(scene, connection, due, flight, held_since));
                // Written now, before anything that has come in is looked at.
                flying.push(match begun(asking.as_mut()) {
                    Poll::Ready(done) => Either::Left(ready(done)),
                    Poll::Pending => Either::Right(giving_way(asking, &next_due, &setting.clock)),
                });
            }
        }
        drop(flying);
        let Running { lag, seen, mut end, .. } = cell_run;
        if *setting.stop.borrow() != Stop::Go {
            end = CellEnd::Ended(Outcome::Interrupted);
        }
        let lag = Some(lag.finish(&clock));
        match &end {
            CellEnd::Whole => {
                self.state(cell, StageState::Finished, opened, lag);
                self.judge(cell, seen);
            }
            CellEnd::Stopped(_) | CellEnd::Ended(_) => self.state(cell, StageState::Interrupted, opened, lag),
        }
        end
    }

    /// Whether this cell keeps higher stages from its target.
    fn judge(&mut self, cell: &LoadCell, mut seen: Seen) {
        if self.halted[cell.target].is_some() {
            return;
        }
        let size = cell.offered.size();
        let met = self.stop_when.iter().filter(|condition| condition.speaks_of(size)).find_map(|c| Some((c, seen.meets(c)?)));
        if let Some((condition, shown)) = met {
            let because = format!("{condition}: {shown} at stage {size} of pass {}", cell.pass);
            self.halted[cell.target] = Some(Halted::Above(cell.stage, because));
        }
    }
}

impl Running<'_> {
    /// When somebody is to be sent next, in nanoseconds; the end of time where nobody is.
    fn next_due(&self) -> u64 {
        if self.closed || self.held.is_some() { u64::MAX } else { self.source.awaited().0 }
    }

    /// Whether a request that is due may be sent now, and since when it was held. What may not is on record, or held.
    fn admit(&mut self, scene: Scene<'_>, due: Due, room: bool) -> Option<(Due, Flight, Option<Stamp>)> {
        let (now, wall) = (scene.setting.clock.now(), scene.setting.clock.wall());
        if let Some(outcome) = self.course.over_budget(1) {
            (self.closed, self.end) = (true, CellEnd::Ended(outcome));
            return None;
        }
        if !room {
            self.leave_out(scene, &due, NotSent::ClientBehind);
            return None;
        }
        let pacer = &mut self.course.pacers[scene.cell.target];
        let tokens = scene.prompts[due.ready.ask.prompt].tokens + reply_at_most(scene.racer, Role::Scored);
        match pacer.turn(now, wall, tokens) {
            pace::Turn::Now => {
                self.course.spent.requests += 1;
                let held_since = (due.turn.scheduled < self.held_until).then_some(due.turn.scheduled);
                Some((due, pacer.began(now, wall, tokens), held_since))
            }
            pace::Turn::At(at) => {
                self.held_until = self.held_until.max(at);
                self.held = Some((due, Some(at)));
                None
            }
            pace::Turn::AfterAnEnd => {
                self.held = Some((due, None));
                None
            }
            pace::Turn::NotToday(reason) => {
                self.leave_out(scene, &due, NotSent::OverBudget { reason: reason.clone() });
                (self.closed, self.end) = (true, CellEnd::Stopped(reason));
                None
            }
            pace::Turn::Never(reason) => {
                self.leave_out(scene, &due, NotSent::NoRequest { reason });
                None
            }
        }
    }

    /// A request that is not sent is on record; its user comes back as after a failure.
    fn leave_out(&mut self, scene: Scene<'_>, due: &Due, why: NotSent) {
        let trial = not_sent(scene.racer, scene.setting, &planned(scene, due.turn, &due.ready.ask, None), why);
        self.free(due.turn, true);
        self.over(trial);
    }

    fn ended(&mut self, scene: Scene<'_>, done: Done) {
        let Done { asked: Asked { trial, connection, stopped }, turn, prompt, flight } = done;
        let (prompt, reply) = (scene.prompts[prompt].tokens, reply_at_most(scene.racer, Role::Scored));
        let landing = landing(&trial, prompt, reply, scene.setting);
        self.course.spent.tokens += landing.tokens;
        let now = scene.setting.clock.now();
        self.course.pacers[scene.cell.target].ended(flight, now, landing);
        if self.held.as_ref().is_some_and(|(_, until)| until.is_none()) {
            self.held_until = self.held_until.max(now);
        }
        self.pool.put(turn.user, connection);
        self.free(turn, !usable(&trial));
        self.seen.saw(&trial);
        self.over(trial);
        if let Some(reason) = stopped.filter(|_| self.end == CellEnd::Whole) {
            self.course.tell(Progress::Stopped { target: scene.racer.facts.id.clone(), reason: reason.clone() });
            (self.closed, self.end) = (true, CellEnd::Stopped(reason));
        }
        if let Some(fault) = self.course.journal.fault() {
            (self.closed, self.end) = (true, CellEnd::Ended(Outcome::RecordFailed(fault)));
        }
    }

    fn free(&mut self, turn: Turn, failed: bool) {
        if let Some(user) = turn.user {
            self.source.free(user, turn.scheduled, failed);
        }
    }

    /// A trial is over: on record, and told to whoever draws.
    fn over(&mut self, trial: Trial) {
        self.lag.saw(&trial);
        let (target, role, spent) = (trial.target.clone(), trial.role, self.course.spent);
        let (usable, sent, words) = (usable(&trial), trial.answer.is_some(), words(&trial));
        self.course.tell(Progress::Trial { target, role, usable, sent, words, spent });
        self.course.journal.append(Line::Trial(Box::new(trial)));
    }
}

/// Waits until a request that is held may be sent, and takes it.
async fn until_free(held: &mut Option<(Due, Option<Stamp>)>, clock: &Clock) -> Due {
    let Some((_, Some(until))) = held else { return std::future::pending().await };
    clock.sleep_until(*until).await;
    match held.take() {
        Some((due, _)) => due,
        None => std::future::pending().await,
    }
}

/// Begins a request at once: if its connection is open it is written before this returns. Whoever awaits it polls it again, with a waker
/// of their own.
fn begun<F: Future>(asking: Pin<&mut F>) -> Poll<F::Output> {
    // A burst is longer than what the runtime lets one task do in a row.
    pin!(tokio::task::unconstrained(asking)).poll(&mut Context::from_waker(Waker::noop()))
}

/// A request in flight that is looked at only while nobody is due: with a thousand replies to read, the next sender would wait for all of
/// them. What has come in has its time from the kernel.
fn giving_way<F: Future>(mut asking: Pin<Box<F>>, next_due: &AtomicU64, clock: &Clock) -> impl Future<Output = F::Output> {
    poll_fn(move |context| {
        if next_due.load(Ordering::Relaxed) <= clock.now().0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        asking.as_mut().poll(context)
    })
}

/// One request of a cell, from its turn to its end.
async fn one(scene: Scene<'_>, connection: Option<Box<dyn Connection>>, due: Due, flight: Flight, held_since: Option<Stamp>) -> Done {
    let Due { turn, ready: Ready { ask, request } } = due;
    let planned = planned(scene, turn, &ask, held_since);
    let asked = match request {
        Ok(request) => send(scene.racer, connection, scene.setting, &planned, &request).await,
        Err(reason) => {
            let trial = not_sent(scene.racer, scene.setting, &planned, NotSent::NoRequest { reason });
            Asked { trial, connection, stopped: None }
        }
    };
    Done { asked, turn, prompt: ask.prompt, flight }
}

/// The trial of a request that is made already, so that its text is not needed.
fn planned<'p>(scene: Scene<'p>, turn: Turn, ask: &LoadAsk, held_since: Option<Stamp>) -> Planned<'p> {
    let (cell, prompt) = (scene.cell, &scene.prompts[ask.prompt]);
    Planned {
        id: ask.id.clone(),
        round: cell.pass,
        block: ask.number,
        prompt: &prompt.id,
        text: "",
        place: cell.place,
        attempt: 1,
        role: Role::Scored,
        scheduled: Some(turn.scheduled),
        entry: Entry { held_since, not_sent: None },
        load: Some(LoadPlace { stage: cell.stage, user: turn.user }),
    }
}
