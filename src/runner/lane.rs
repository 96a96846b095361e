//! One request from connecting to its end; and a target's lane, which makes one at a time over a connection that is kept alive in between.

use super::hold::Entry;
use super::pace::{Landing, Pacer};
use super::resume::tokens_used;
use super::{Racer, Stop};
use crate::clock::Clock;
use crate::exchange;
use crate::ident::{PromptId, TrialId};
use crate::plan::tokens_at_most;
use crate::provider::{Call, Provider};
use crate::record::{Answer, Limits, LoadPlace, NotSent, Role, Trial};
use crate::timeline::{Ended, ErrorKind};
use crate::units::Stamp;
use crate::wire::{Connection, WireRequest};
use tokio::sync::watch;

/// A target on its way through the run.
pub struct Lane {
    pub racer: Racer,
    connection: Option<Box<dyn Connection>>,
    /// Why nothing more is sent to it.
    pub stopped: Option<String>,
    /// When it may be asked.
    pub pacer: Pacer,
}

/// A trial as planned.
pub struct Planned<'p> {
    pub id: TrialId,
    pub round: u32,
    pub block: u32,
    pub prompt: &'p PromptId,
    /// The user's message, nonce included.
    pub text: &'p str,
    pub place: u32,
    pub attempt: u32,
    pub role: Role,
    /// When it was to be sent; none means as soon as its turn comes.
    pub scheduled: Option<Stamp>,
    /// Whether it was held, or is left out.
    pub entry: Entry,
    /// Its stage, in a load run.
    pub load: Option<LoadPlace>,
}

/// What all trials of a run share.
#[derive(Clone)]
pub struct Setting {
    pub limits: Limits,
    pub clock: Clock,
    pub stop: watch::Receiver<Stop>,
    /// How many times as fast as its provider's a simulated run's clock goes; 1 for a real one.
    pub scale: f64,
}

/// A warm-up asks for one token.
const WARM_UP_TOKENS: u64 = 1;

/// What came of a trial.
pub struct Asked {
    pub trial: Trial,
    /// The connection, if another request may follow on it.
    pub connection: Option<Box<dyn Connection>>,
    /// Why nothing more is to be sent to this target.
    pub stopped: Option<String>,
}

impl Lane {
    pub fn new(racer: Racer) -> Lane {
        let pacer = Pacer::new(racer.facts.pace);
        Lane { racer, connection: None, stopped: None, pacer }
    }

    /// Gives up the connection that was kept alive, so that the next request opens one of its own.
    pub fn hang_up(&mut self) {
        self.connection = None;
    }

    /// Makes one trial over the lane's connection.
    pub async fn ask(&mut self, setting: &Setting, planned: Planned<'_>) -> Trial {
        if let Some(reason) = &self.stopped {
            return not_sent(&self.racer, setting, &planned, NotSent::TargetStopped { reason: reason.clone() });
        }
        if let Some(why) = &planned.entry.not_sent {
            return not_sent(&self.racer, setting, &planned, why.clone());
        }
        let request = match request(&self.racer, setting, planned.role, &planned.id, planned.text) {
            Ok(request) => request,
            Err(reason) => return not_sent(&self.racer, setting, &planned, NotSent::NoRequest { reason }),
        };
        let (prompt, reply) = (tokens_at_most(planned.text), reply_at_most(&self.racer, planned.role));
        let flight = self.pacer.began(setting.clock.now(), setting.clock.wall(), prompt + reply);
        let asked = send(&self.racer, self.connection.take(), setting, &planned, &request).await;
        self.pacer.ended(flight, setting.clock.now(), landing(&asked.trial, prompt, reply, setting));
        (self.connection, self.stopped) = (asked.connection, asked.stopped);
        asked.trial
    }
}

/// Tokens of a reply at most, by its cap.
pub fn reply_at_most(racer: &Racer, role: Role) -> u64 {
    match role {
        Role::WarmUp => WARM_UP_TOKENS,
        Role::Scored => racer.facts.sampling.max_tokens.unwrap_or(0),
    }
}

/// What a request that is over means for its target's pace.
pub fn landing(trial: &Trial, prompt: u64, reply: u64, setting: &Setting) -> Landing {
    let Some(answer) = &trial.answer else { return Landing::default() };
    // What a provider asks for is told in its own time.
    let retry_after_s = answer.error.as_ref().and_then(|error| error.retry_after_s).map(|seconds| seconds / setting.scale);
    Landing { written: answer.stamps.first_write, tokens: tokens_used(answer, prompt, reply), retry_after_s }
}

/// Sends one request, over the connection that is given or a new one, and reads its reply to the end. A failure is an answer; nothing is
/// sent twice.
pub async fn send(
    racer: &Racer,
    connection: Option<Box<dyn Connection>>,
    setting: &Setting,
    planned: &Planned<'_>,
    request: &WireRequest,
) -> Asked {
    let trial = trial(racer, setting, planned);
    let (answer, connection) = answer(racer, connection, setting, request).await;
    let stopped = reason_to_stop(&answer, racer.provider.as_ref());
    Asked { trial: Trial { answer: Some(Box::new(answer)), ..trial }, connection, stopped }
}

/// The record of a trial that is not sent.
pub fn not_sent(racer: &Racer, setting: &Setting, planned: &Planned<'_>, why: NotSent) -> Trial {
    Trial { not_sent: Some(why), ..trial(racer, setting, planned) }
}

fn trial(racer: &Racer, setting: &Setting, planned: &Planned<'_>) -> Trial {
    Trial {
        id: planned.id.clone(),
        target: racer.facts.id.clone(),
        provider: racer.facts.provider.clone(),
        model: racer.facts.model.clone(),
        round: planned.round,
        block: planned.block,
        prompt: planned.prompt.clone(),
        place: planned.place,
        attempt: planned.attempt,
        role: planned.role,
        wall: setting.clock.wall(),
        scheduled: planned.scheduled.unwrap_or_else(|| setting.clock.now()),
        held_since: planned.entry.held_since,
        load: planned.load,
        not_sent: None,
        answer: None,
    }
}

/// The request of a trial that asks `text`, or why none can be made.
pub fn request(racer: &Racer, setting: &Setting, role: Role, id: &TrialId, text: &str) -> Result<WireRequest, String> {
    let call = Call {
        target: &racer.facts,
        prompt: text,
        max_tokens: (role == Role::WarmUp).then_some(WARM_UP_TOKENS),
        key: racer.key.as_ref(),
        request_id: id.as_str(),
        wall_now: setting.clock.wall(),
    };
    let mut request = racer.provider.request(&call).map_err(|error| error.to_string())?;
    (request.largest_line, request.largest_body) = (setting.limits.largest_line, setting.limits.largest_body);
    Ok(request)
}

async fn answer(
    racer: &Racer,
    connection: Option<Box<dyn Connection>>,
    setting: &Setting,
    request: &WireRequest,
) -> (Answer, Option<Box<dyn Connection>>) {
    let mut connection = match connection.filter(|connection| connection.reusable()) {
        Some(kept) => kept,
        None => {
            let connect = racer.transport.connect(&racer.endpoint);
            match unless_cancelled(&setting.stop, connect).await {
                Some(Ok(opened)) => opened,
                Some(Err(failure)) => return (exchange::connect_failed(failure), None),
                None => return (Answer::empty(Ended::Cancelled), None),
            }
        }
    };
    let decoder = racer.provider.decoder(&racer.facts);
    let exchange = exchange::exchange(connection.as_mut(), request, decoder, &setting.limits, &setting.clock);
    let Some(answer) = unless_cancelled(&setting.stop, exchange).await else {
        let facts = connection.facts();
        let answer = Answer { stamps: facts.stamps, connect: facts.connect, reads: facts.reads, ..Answer::empty(Ended::Cancelled) };
        return (answer, None);
    };
    let kept = connection.reusable();
    (answer, kept.then_some(connection))
}

/// Faults of configuration: no further request could do better, and none of them is the provider's slowness.
fn reason_to_stop(answer: &Answer, provider: &dyn Provider) -> Option<String> {
    let status = answer.status.map(|status| format!("HTTP {status}: ")).unwrap_or_default();
    match (&answer.error, answer.status) {
        (Some(error), _) => match error.kind {
            ErrorKind::Auth | ErrorKind::Billing | ErrorKind::NotFound => {
                let remedy = provider.remedy(error.kind).map(|remedy| format!("; {remedy}")).unwrap_or_default();
                Some(format!("{status}{}{remedy}", error.message))
            }
            _ => None,
        },
        (None, Some(401..=404)) => Some(format!("{status}no further words")),
        (None, _) => None,
    }
}

/// Waits for `work`, or gives up as soon as the run is cancelled.
async fn unless_cancelled<T>(stop: &watch::Receiver<Stop>, work: impl Future<Output = T>) -> Option<T> {
    let mut stop = stop.clone();
    let cancelled = async {
        // A sender that is gone cancels nothing.
        if stop.wait_for(|stop| *stop == Stop::Cancel).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = cancelled => None,
    }
}
