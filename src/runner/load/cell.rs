//! One cell: the loop in which whoever asks next is set against whatever ends next.

use super::super::hold::Entry;
use super::super::lag::LagWatch;
use super::super::lane::{Asked, Planned, Setting, landing, not_sent, reply_at_most, request, send};
use super::super::pace::{self, Flight};
use super::super::{Outcome, Progress, Racer, Stop, usable, words};
use super::halt::Seen;
use super::pool::Pool;
use super::source::{Source, Turn};
use super::{Halted, LoadCourse, LoadPrompt, stopping};
use crate::clock::Clock;
use crate::plan::{LoadAsk, LoadCell};
use crate::record::{Line, LoadPlace, NotSent, Role, StageState, Trial};
use crate::units::Stamp;
use crate::wire::Connection;
use futures_util::stream::{FuturesUnordered, StreamExt};

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
    ask: LoadAsk,
}

/// A request that is over.
struct Done {
    asked: Asked,
    due: Due,
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
        let pool = match design.cold {
            true => Pool::none(&cell.offered),
            false => Pool::open(&racer, &setting, &cell.offered, design.max_in_flight).await,
        };
        let opened = pool.opened;
        self.state(cell, StageState::Begun, opened, None);
        let (pass, stage, target) = (cell.pass, cell.stage, racer.facts.id.clone());
        self.tell(Progress::Stage { pass, stage, target, requests: design.until.requests(&cell.offered) });

        let mut asks = self.schedule.asks(cell, self.manifest.design.cache_defeat);
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
        let mut flying = FuturesUnordered::new();
        loop {
            let now = tokio::select! {
                // Whoever is due is sent first: what has come in has its time from the kernel, and can wait.
                biased;
                turn = cell_run.source.next(), if !cell_run.closed && cell_run.held.is_none() => match turn.zip(asks.next()) {
                    Some((turn, ask)) => Some(Due { turn, ask }),
                    None => {
                        cell_run.closed = true;
                        None
                    }
                },
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
                else => break,
            };
            if let Some(due) = now.filter(|_| !cell_run.closed)
                && let Some((due, flight, held_since)) = cell_run.admit(scene, due, flying.len() < most)
            {
                let connection = cell_run.pool.take(due.turn.user);
                flying.push(one(scene, connection, due, flight, held_since));
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
        let tokens = scene.prompts[due.ask.prompt].tokens + reply_at_most(scene.racer, Role::Scored);
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
        let prompt = &scene.prompts[due.ask.prompt];
        let trial = not_sent(scene.racer, scene.setting, &planned(scene, due, prompt, "", None), why);
        self.free(due, true);
        self.over(trial);
    }

    fn ended(&mut self, scene: Scene<'_>, done: Done) {
        let Done { asked: Asked { trial, connection, stopped }, due, flight } = done;
        let (prompt, reply) = (scene.prompts[due.ask.prompt].tokens, reply_at_most(scene.racer, Role::Scored));
        let landing = landing(&trial, prompt, reply, scene.setting);
        self.course.spent.tokens += landing.tokens;
        let now = scene.setting.clock.now();
        self.course.pacers[scene.cell.target].ended(flight, now, landing);
        if self.held.as_ref().is_some_and(|(_, until)| until.is_none()) {
            self.held_until = self.held_until.max(now);
        }
        self.pool.put(due.turn.user, connection);
        self.free(&due, !usable(&trial));
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

    fn free(&mut self, due: &Due, failed: bool) {
        if let Some(user) = due.turn.user {
            self.source.free(user, due.turn.scheduled, failed);
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

/// One request of a cell, from its turn to its end.
async fn one(scene: Scene<'_>, connection: Option<Box<dyn Connection>>, due: Due, flight: Flight, held_since: Option<Stamp>) -> Done {
    let prompt = &scene.prompts[due.ask.prompt];
    let text = [due.ask.nonce.as_str(), &prompt.text].concat();
    let planned = planned(scene, &due, prompt, &text, held_since);
    let asked = match request(scene.racer, scene.setting, &planned) {
        Ok(request) => send(scene.racer, connection, scene.setting, &planned, &request).await,
        Err(reason) => {
            let trial = not_sent(scene.racer, scene.setting, &planned, NotSent::NoRequest { reason });
            Asked { trial, connection, stopped: None }
        }
    };
    Done { asked, due, flight }
}

fn planned<'p>(scene: Scene<'_>, due: &Due, prompt: &'p LoadPrompt, text: &'p str, held_since: Option<Stamp>) -> Planned<'p> {
    let cell = scene.cell;
    Planned {
        id: due.ask.id.clone(),
        round: cell.pass,
        block: due.ask.number,
        prompt: &prompt.id,
        text,
        place: cell.place,
        attempt: 1,
        role: Role::Scored,
        scheduled: Some(due.turn.scheduled),
        entry: Entry { held_since, not_sent: None },
        load: Some(LoadPlace { stage: cell.stage, user: due.turn.user }),
    }
}
