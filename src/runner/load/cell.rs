//! One cell: the loop in which whoever asks next is set against whatever ends next.

use super::super::lag::LagWatch;
use super::super::lane::{Asked, Planned, Setting, ask, not_sent};
use super::super::resume::tokens_used;
use super::super::{Outcome, Progress, Racer, Stop, usable, words};
use super::halt::Seen;
use super::pool::Pool;
use super::source::{Source, Turn};
use super::{Halted, LoadCourse, LoadPrompt, stopping};
use crate::plan::{LoadAsk, LoadCell};
use crate::record::{Line, LoadPlace, NotSent, Role, StageState, Trial};
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

/// A request that is over.
struct Done {
    asked: Asked,
    turn: Turn,
    /// The prompt's tokens at most.
    tokens: u64,
}

impl LoadCourse {
    /// Runs one cell to its end, and says how it came about.
    pub(super) async fn cell(&mut self, cell: &LoadCell) -> CellEnd {
        let design = self.schedule.design().clone();
        let offered = &cell.offered;
        let racer = self.racers[cell.target].clone();
        let mut pool = match design.cold {
            true => Pool::none(offered),
            false => Pool::open(&racer, &self.setting, offered, design.max_in_flight).await,
        };
        let opened = pool.opened;
        self.state(cell, StageState::Begun, opened, None);
        let (pass, stage, target, requests) = (cell.pass, cell.stage, racer.facts.id.clone(), design.until.requests(offered));
        self.tell(Progress::Stage { pass, stage, target, requests });

        let clock = self.setting.clock.clone();
        let mut lag = LagWatch::start(&clock);
        let mut seen = Seen::default();
        let mut source = Source::new(offered, &design.until, self.schedule.arrivals(cell), clock.now(), &clock);
        let mut asks = self.schedule.asks(cell, self.manifest.design.cache_defeat);
        let most = design.max_in_flight.map_or(usize::MAX, |most| most as usize);
        let (setting, prompts) = (self.setting.clone(), std::mem::take(&mut self.prompts));
        let mut end = CellEnd::Whole;
        let mut more = true;
        {
            let mut running = FuturesUnordered::new();
            loop {
                tokio::select! {
                    // Whoever is due is sent first: what has come in has its time from the kernel, and can wait.
                    biased;
                    turn = source.next(), if more => match turn.zip(asks.next()) {
                        None => more = false,
                        Some(_) if self.over_budget(1).is_some() => {
                            end = self.over_budget(1).map_or(end, CellEnd::Ended);
                            more = false;
                        }
                        Some((turn, asked)) if most <= running.len() => {
                            let prompt = &prompts[asked.prompt];
                            let trial = not_sent(&racer, &setting, &planned(cell, turn, &asked, prompt, ""), NotSent::ClientBehind);
                            self.over(trial, &mut lag);
                        }
                        Some((turn, asked)) => {
                            self.spent.requests += 1;
                            running.push(one(&racer, pool.take(turn.user), &setting, cell, turn, asked, &prompts));
                        }
                    },
                    Some(done) = running.next(), if !running.is_empty() => {
                        let Done { asked: Asked { trial, connection, stopped }, turn, tokens } = done;
                        pool.put(turn.user, connection);
                        if let Some(user) = turn.user {
                            source.free(user, turn.scheduled, !usable(&trial));
                        }
                        if let Some(answer) = &trial.answer {
                            self.spent.tokens += tokens_used(answer, tokens, racer.facts.sampling.max_tokens.unwrap_or(0));
                        }
                        seen.saw(&trial);
                        self.over(trial, &mut lag);
                        if let (Some(reason), CellEnd::Whole) = (stopped, &end) {
                            self.tell(Progress::Stopped { target: racer.facts.id.clone(), reason: reason.clone() });
                            (end, more) = (CellEnd::Stopped(reason), false);
                        }
                        if let Some(fault) = self.journal.fault() {
                            (end, more) = (CellEnd::Ended(Outcome::RecordFailed(fault)), false);
                        }
                    }
                    // What is in flight is read to its end; nothing new is sent.
                    () = stopping(&setting.stop), if more => more = false,
                    else => break,
                }
            }
        }
        self.prompts = prompts;
        if *setting.stop.borrow() != Stop::Go {
            end = CellEnd::Ended(Outcome::Interrupted);
        }
        let lag = lag.finish(&clock);
        match &end {
            CellEnd::Whole => {
                self.state(cell, StageState::Finished, opened, Some(lag));
                self.judge(cell, seen);
            }
            CellEnd::Stopped(_) | CellEnd::Ended(_) => self.state(cell, StageState::Interrupted, opened, Some(lag)),
        }
        end
    }

    /// A trial is over: on record, and told to whoever draws.
    fn over(&self, trial: Trial, lag: &mut LagWatch) {
        lag.saw(&trial);
        self.tell(Progress::Trial { target: trial.target.clone(), role: trial.role, usable: usable(&trial), words: words(&trial) });
        self.journal.append(Line::Trial(Box::new(trial)));
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

/// One request of a cell, from its turn to its end.
async fn one(
    racer: &Racer,
    connection: Option<Box<dyn Connection>>,
    setting: &Setting,
    cell: &LoadCell,
    turn: Turn,
    asked: LoadAsk,
    prompts: &[LoadPrompt],
) -> Done {
    let prompt = &prompts[asked.prompt];
    let text = [asked.nonce.as_str(), &prompt.text].concat();
    let asked = ask(racer, connection, setting, planned(cell, turn, &asked, prompt, &text)).await;
    Done { asked, turn, tokens: prompt.tokens }
}

fn planned<'p>(cell: &LoadCell, turn: Turn, asked: &LoadAsk, prompt: &'p LoadPrompt, text: &'p str) -> Planned<'p> {
    Planned {
        id: asked.id.clone(),
        round: cell.pass,
        block: asked.number,
        prompt: &prompt.id,
        text,
        place: cell.place,
        attempt: 1,
        role: Role::Scored,
        scheduled: Some(turn.scheduled),
        load: Some(LoadPlace { stage: cell.stage, user: turn.user }),
    }
}
