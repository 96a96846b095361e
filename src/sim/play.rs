//! Plays a script: each step at its time, in one write, noted in the truth.

use super::answer::Stream;
use super::body::Framing;
use super::head::stream_head;
use super::line::Line;
use super::reply::{Held, Reply};
use super::schedule::Schedule;
use super::script::{Act, End, Step};
use super::truth::Truth;
use crate::clock;
use crate::units::Stamp;
use std::io;

/// Plays a script. Gives the connection back if it can serve another request.
pub async fn play(schedule: &Schedule, mut line: Line, stream: Stream, truth: &mut Truth) -> io::Result<Option<Line>> {
    let Stream { mut reply, carriage, headers, hidden } = stream;
    let received = line.last_read;
    describe(truth, &reply, hidden);
    schedule.until(received.plus(reply.script.head_at)).await;
    let head = stream_head(&headers, carriage.http10, carriage.gzip);
    let (before, after) = line.send(&head).await?;
    (truth.head_before_ns, truth.head_after_ns) = (Some(before.0), Some(after.0));
    if carriage.hang_after_head {
        truth.ended = "hang";
        wait_for_end(&mut line).await?;
        return Ok(None);
    }

    let mut framing = Framing::new(!carriage.http10, carriage.gzip);
    let (mut payload, mut wire) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
    let steps = std::mem::take(&mut reply.script.steps);
    truth.expect(steps.len() + 1);
    for step in &steps {
        payload.clear();
        wire.clear();
        let held = chunks(&mut reply, &mut framing, step, &mut payload, &mut wire);
        if wire.is_empty() {
            continue;
        }
        schedule.until(received.plus(step.at)).await;
        let wrote = match carriage.drip {
            Some((parts, apart)) if held != Held::default() => drip(schedule, &mut line, &wire, parts, apart).await?,
            _ => line.send(&wire).await?,
        };
        truth.wrote(wrote, held.reasoning, held.content);
    }
    wire.clear();
    match reply.script.end {
        End::Clean => {
            framing.end(&mut wire);
            if !wire.is_empty() {
                truth.wrote(line.send(&wire).await?, 0, 0);
            }
            truth.ended = "clean";
            if carriage.http10 {
                line.close().await;
                return Ok(None);
            }
            return Ok(Some(line));
        }
        End::Cut => truth.ended = "cut",
        End::Reset => {
            truth.ended = "reset";
            line.reset();
        }
        End::Hang => {
            truth.ended = "hang";
            wait_for_end(&mut line).await?;
        }
        End::EndlessLine => {
            truth.ended = "endless";
            framing.piece(&[b'x'; 64 << 10], &mut wire);
            loop {
                line.send(&wire).await?;
                // Others have a right to the thread too.
                tokio::task::yield_now().await;
            }
        }
        End::EndlessStream(every) => {
            truth.ended = "endless";
            payload.clear();
            reply.write(&Act::Aside(" and".to_owned()), &mut payload);
            framing.piece(&payload, &mut wire);
            let mut at = clock::mono();
            loop {
                at = at.plus(every);
                schedule.until(at).await;
                line.send(&wire).await?;
            }
        }
    }
    Ok(None)
}

/// Notes what is known of a stream before it begins.
pub fn describe(truth: &mut Truth, reply: &Reply, hidden: usize) {
    truth.status = 200;
    truth.hidden_tokens = hidden as u32;
    truth.prompt_tokens = reply.prompt_tokens() as u32;
    truth.finish = Some(reply.script.finish.clone());
}

/// A step's bytes: one chunk, or one for each of several acts.
pub fn chunks(reply: &mut Reply, framing: &mut Framing, step: &Step, payload: &mut Vec<u8>, wire: &mut Vec<u8>) -> Held {
    let mut all = Held::default();
    let alone = std::slice::from_ref(&step.act);
    for act in if let Act::Several(acts) = &step.act { acts } else { alone } {
        payload.clear();
        let held = reply.write(act, payload);
        framing.piece(payload, wire);
        all = Held { reasoning: all.reasoning + held.reasoning, content: all.content + held.content };
    }
    all
}

/// One chunk in several writes; the times are those of the first and the last.
async fn drip(schedule: &Schedule, line: &mut Line, wire: &[u8], parts: usize, apart: u64) -> io::Result<(Stamp, Stamp)> {
    let mut at = clock::mono();
    let mut whole: Option<(Stamp, Stamp)> = None;
    for part in wire.chunks(wire.len().div_ceil(parts)) {
        schedule.until(at).await;
        let (before, after) = line.send(part).await?;
        whole = Some((whole.map_or(before, |(first, _)| first), after));
        at = at.plus(apart);
    }
    Ok(whole.unwrap_or((at, at)))
}

/// Reads and forgets until the client closes.
pub async fn wait_for_end(line: &mut Line) -> io::Result<()> {
    while line.fill().await? != 0 {
        line.inbox.clear();
    }
    Ok(())
}
