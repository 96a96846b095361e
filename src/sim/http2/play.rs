//! Plays an answer on its stream: each chunk at its time, in a DATA frame of its own, noted in the truth.

use super::super::answer::{Answer, Silence, Stream as Planned, Whole};
use super::super::body::Framing;
use super::super::head::stream_headers;
use super::super::play::{chunks, describe};
use super::super::reply::Held;
use super::super::request::Request;
use super::super::schedule::Schedule;
use super::super::script::{Act, End};
use super::super::server::House;
use super::super::truth::Truth;
use super::passages::Wrote;
use super::stream::Stream;
use crate::clock;
use crate::units::Stamp;
use std::io;

/// Largest body of a request that is read.
const BODY_LIMIT: usize = 32 << 20;

/// Reads a request to its end and answers it. A client that goes away is no fault of ours; the truth log tells of it.
pub async fn respond(house: &House, request: http::Request<h2::RecvStream>, mut stream: Stream, connection: u64, tls: bool) {
    let Ok(request) = whole(request).await else { return stream.reset() };
    let received = stream.received().unwrap_or_else(clock::mono);
    let truth = Truth { connection, tls, http: "2", received_ns: received.0, ..Truth::default() };
    let (answer, mut log) = match house.answer(&request, received, truth) {
        Ok(answered) => answered,
        Err(other) => {
            let _ = answer_whole(&mut stream, &other).await;
            return;
        }
    };
    let passages = stream.passages();
    let told = tokio::select! {
        biased;
        told = tell(house, &mut stream, answer, received, &mut log.truth) => told,
        () = passages.away() => Err(io::ErrorKind::ConnectionAborted.into()),
    };
    log.truth.ended_ns = clock::mono().0;
    if told.is_err() && log.truth.ended != "hang" {
        // A neighbour whose fault it was to cut the connection cut this one too.
        log.truth.ended = passages.over().unwrap_or("client_gone");
    }
}

async fn whole(request: http::Request<h2::RecvStream>) -> Result<Request, h2::Error> {
    let (parts, mut coming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = coming.data().await {
        let data = data?;
        coming.flow_control().release_capacity(data.len())?;
        if BODY_LIMIT < body.len() + data.len() {
            return Err(h2::Reason::ENHANCE_YOUR_CALM.into());
        }
        body.extend_from_slice(&data);
    }
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    Ok(Request { method: parts.method.as_str().to_owned(), path: parts.uri.path().to_owned(), close: false, headers, body })
}

async fn tell(house: &House, stream: &mut Stream, answer: Answer, received: Stamp, truth: &mut Truth) -> io::Result<()> {
    match answer {
        Answer::Silence(silence) => {
            truth.ended = "no_answer";
            match silence {
                Silence::Hang => stream.wait_for_end().await,
                Silence::Close => stream.close_connection("cut"),
                Silence::Reset => stream.reset(),
            }
            Ok(())
        }
        Answer::Whole(whole) => {
            truth.status = whole.status;
            let (before, after) = answer_whole(stream, &whole).await?;
            (truth.head_before_ns, truth.head_after_ns) = (Some(before.0), Some(after.0));
            truth.ended = "clean";
            Ok(())
        }
        Answer::Stream(planned) => play(&house.schedule, stream, *planned, received, truth).await,
    }
}

/// Sends a whole answer; the times are those around its head and its body.
async fn answer_whole(stream: &mut Stream, whole: &Whole) -> io::Result<Wrote> {
    let mut headers = vec![("content-type".to_owned(), whole.content_type.to_owned())];
    headers.push(("content-length".to_owned(), whole.body.len().to_string()));
    headers.extend(whole.headers.iter().cloned());
    let (before, mut after) = stream.head(whole.status, &headers).await?;
    if !whole.body.is_empty() {
        (_, after) = stream.piece(whole.body.as_bytes()).await?;
    }
    stream.end().await?;
    Ok((before, after))
}

async fn play(schedule: &Schedule, stream: &mut Stream, planned: Planned, received: Stamp, truth: &mut Truth) -> io::Result<()> {
    let Planned { mut reply, carriage, headers, hidden } = planned;
    describe(truth, &reply, hidden);
    schedule.until(received.plus(reply.script.head_at)).await;
    let (before, after) = stream.head(200, &stream_headers(&headers, carriage.gzip)).await?;
    (truth.head_before_ns, truth.head_after_ns) = (Some(before.0), Some(after.0));
    if carriage.hang_after_head {
        truth.ended = "hang";
        stream.wait_for_end().await;
        return Ok(());
    }

    let mut framing = Framing::new(false, carriage.gzip);
    let (mut payload, mut piece) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
    let steps = std::mem::take(&mut reply.script.steps);
    truth.expect(steps.len() + 1);
    for step in &steps {
        payload.clear();
        piece.clear();
        let held = chunks(&mut reply, &mut framing, step, &mut payload, &mut piece);
        if piece.is_empty() {
            continue;
        }
        schedule.until(received.plus(step.at)).await;
        let wrote = match carriage.drip {
            Some((parts, apart)) if held != Held::default() => drip(schedule, stream, &piece, parts, apart).await?,
            _ => stream.piece(&piece).await?,
        };
        truth.wrote(wrote, held.reasoning, held.content);
    }
    piece.clear();
    match reply.script.end {
        End::Clean => {
            framing.end(&mut piece);
            if !piece.is_empty() {
                stream.piece(&piece).await?;
            }
            truth.wrote(stream.end().await?, 0, 0);
            truth.ended = "clean";
        }
        End::Cut => {
            truth.ended = "cut";
            stream.close_connection("cut");
        }
        End::Reset => {
            truth.ended = "reset";
            stream.reset();
        }
        End::Hang => {
            truth.ended = "hang";
            stream.wait_for_end().await;
        }
        End::EndlessLine => {
            truth.ended = "endless";
            loop {
                stream.piece(&[b'x'; 64 << 10]).await?;
                // Others have a right to the thread too.
                tokio::task::yield_now().await;
            }
        }
        End::EndlessStream(every) => {
            truth.ended = "endless";
            payload.clear();
            reply.write(&Act::Aside(" and".to_owned()), &mut payload);
            let mut at = clock::mono();
            loop {
                at = at.plus(every);
                schedule.until(at).await;
                stream.piece(&payload).await?;
            }
        }
    }
    Ok(())
}

/// One chunk in several frames, each in its own time; the times are those of the first and the last.
async fn drip(schedule: &Schedule, stream: &mut Stream, bytes: &[u8], parts: usize, apart: u64) -> io::Result<Wrote> {
    let mut at = clock::mono();
    let mut whole: Option<Wrote> = None;
    for part in bytes.chunks(bytes.len().div_ceil(parts)) {
        schedule.until(at).await;
        let (before, after) = stream.piece(part).await?;
        whole = Some((whole.map_or(before, |(first, _)| first), after));
        at = at.plus(apart);
    }
    Ok(whole.unwrap_or((at, at)))
}
