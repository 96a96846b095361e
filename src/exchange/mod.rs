//! One request from send to end: frames become events, events become a timeline, limits are kept. Failure is data: whatever happens,
//! an [`Answer`] with everything that had come is the result.

mod headers;
mod limits;
mod watching;

use crate::clock::Clock;
use crate::dialect::Decoder;
use crate::record::{Answer, Limits};
use crate::timeline::{Ended, Limit};
use crate::wire::{ConnectFailure, Connection, WireRequest};
use limits::Patience;
use watching::Watching;

/// Makes one request over an open connection and reads its reply to the end, or until a limit runs out. Limits begin with this call;
/// the request is written at once.
pub async fn exchange(
    connection: &mut dyn Connection,
    request: &WireRequest,
    decoder: Box<dyn Decoder>,
    limits: &Limits,
    clock: &Clock,
) -> Answer {
    let patience = Patience::new(limits, clock.now());
    let mut watching = Watching::new(decoder, request.framing, &patience);
    // The reading comes first: what is there already has come, however late this client looks at it.
    let ended = tokio::select! {
        biased;
        ended = connection.exchange(request, &mut watching) => ended,
        limit = patience.run_out(clock) => Ended::TimedOut { limit },
    };
    let answer = watching.answer(connection.facts(), ended, clock);
    connection.part().await;
    answer
}

/// The answer of a request that found no connection.
pub fn connect_failed(failure: ConnectFailure) -> Answer {
    let ConnectFailure { stage, message, timed_out, local, connect } = failure;
    let ended = match timed_out {
        true => Ended::TimedOut { limit: Limit::Connect },
        false => Ended::ConnectFailed { stage, message, local },
    };
    Answer { connect, ..Answer::empty(ended) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Connect;
    use crate::timeline::{
        EndMark, ErrorKind, Finish, FinishSeen, Held, Mark, Phase, Point, ProviderError, Stage, StreamEvent, Usage, UsagePoint,
    };
    use crate::units::{Offset, Stamp, ms, secs};
    use crate::wire::{ExchangeFacts, Frame, Framing, Head, Watch};
    use async_trait::async_trait;

    /// What comes in at one time: frames in order, and which write each came in.
    #[derive(Clone)]
    enum Step {
        Head(u16, Vec<(&'static str, &'static str)>),
        /// Frames of one read, each with its chunk; those of the last chunk are exact, as on a real socket.
        Frames(Vec<(&'static str, u32)>),
        Comment,
        Body(&'static str),
        End,
        Close,
    }
    use Step::{Body, Close, Comment, End, Frames};

    /// A connection that plays a script: what comes at how many milliseconds after the request was written.
    struct Scripted {
        script: Vec<(u64, Step)>,
        clock: Clock,
        facts: ExchangeFacts,
    }

    #[async_trait]
    impl Connection for Scripted {
        async fn exchange(&mut self, _: &WireRequest, watch: &mut dyn Watch) -> Ended {
            let begun = self.clock.now();
            self.facts.stamps.first_write = Some(begun);
            watch.head(Head { status: 200, headers: &[] });
            let (mut previous, mut read) = (begun, 0);
            for (at, step) in std::mem::take(&mut self.script) {
                self.clock.sleep_until(begun.plus(ms(at))).await;
                let at = self.clock.now();
                match step {
                    Step::Head(status, headers) => {
                        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                        watch.head(Head { status, headers: &headers });
                    }
                    Comment => watch.comment(b" keep-alive"),
                    Body(text) => watch.body(text.as_bytes()),
                    Frames(frames) => {
                        read += 1;
                        self.facts.reads.count = read;
                        let last = frames.last().unwrap().1;
                        for (data, _) in &frames {
                            watch.body(data.as_bytes());
                            watch.frame(Frame { name: "", data: data.trim_end_matches('~').as_bytes(), unterminated: data.ends_with('~') });
                        }
                        for (_, chunk) in frames {
                            let exact = chunk == last;
                            watch.mark(Mark { at, after: if exact { at } else { previous }, user: at.plus(7), read, chunk, exact });
                        }
                        previous = at;
                    }
                    End => {
                        self.facts.stamps.closed = Some(at);
                        return Ended::Complete;
                    }
                    Close => return Ended::ClosedEarly { message: "reset".to_owned() },
                }
            }
            std::future::pending().await
        }
        fn facts(&self) -> ExchangeFacts {
            self.facts.clone()
        }
        fn reusable(&self) -> bool {
            false
        }
    }

    /// A dialect of one letter an event: `r` and `c` for texts, `h2c` for content held since two frames ago, and a few words.
    #[derive(Default)]
    struct Letters {
        kept: Option<(&'static str, u32)>,
    }
    impl Decoder for Letters {
        fn feed(&mut self, frame: &Frame<'_>, emit: &mut dyn FnMut(StreamEvent<'_>)) {
            if let Some((_, frames)) = &mut self.kept {
                *frames += 1;
            }
            for word in std::str::from_utf8(frame.data).unwrap().split('|') {
                let usage = |completion| Usage { completion: Some(completion), ..Usage::default() };
                match word.split_once(':').unwrap_or((word, "")) {
                    _ if frame.unterminated && word != "[DONE]" => {}
                    ("r", text) => emit(StreamEvent::Delta { phase: Phase::Reasoning, text, held: 0 }),
                    ("c", text) => emit(StreamEvent::Delta { phase: Phase::Content, text, held: 0 }),
                    ("h2c", text) => emit(StreamEvent::Delta { phase: Phase::Content, text, held: 2 }),
                    ("keep", _) => self.kept = Some(("<thi", 0)),
                    ("u", n) => emit(StreamEvent::Usage(usage(n.parse().unwrap()))),
                    ("stop", _) => emit(StreamEvent::Finish(FinishSeen { raw: "stop".to_owned(), normal: Finish::Stop })),
                    ("relabel", _) => emit(StreamEvent::Relabel),
                    ("error", text) => emit(StreamEvent::Error(error(text))),
                    ("[DONE]", _) if frame.unterminated => emit(StreamEvent::End(EndMark::DoneLenient)),
                    ("[DONE]", _) => emit(StreamEvent::End(EndMark::Done)),
                    ("role", _) => {}
                    _ => emit(StreamEvent::Unreadable),
                }
            }
        }
        fn body(&mut self, status: u16, content_type: Option<&str>, body: &[u8], emit: &mut dyn FnMut(StreamEvent<'_>)) {
            let text = format!("{status} {} {}", content_type.unwrap_or("-"), String::from_utf8_lossy(body));
            emit(StreamEvent::Error(error(&text)));
        }
        fn finish(&mut self, emit: &mut dyn FnMut(StreamEvent<'_>)) {
            if let Some((text, held)) = self.kept.take() {
                emit(StreamEvent::Delta { phase: Phase::Content, text, held });
            }
        }
    }
    fn error(text: &str) -> ProviderError {
        let message = text.to_owned();
        let kind = ErrorKind::Server;
        ProviderError { kind, code: None, kind_raw: None, message, http_status: None, retry_after_s: None, in_stream: true }
    }

    fn one(data: &'static str, chunk: u32) -> Step {
        Frames(vec![(data, chunk)])
    }

    async fn answer_with(limits: Limits, script: Vec<(u64, Step)>) -> Answer {
        let clock = Clock::virtual_from("2026-11-24T00:00:00Z".parse().unwrap());
        let mut connection = Scripted { script, clock: clock.clone(), facts: ExchangeFacts::default() };
        let (largest_line, largest_body) = (limits.largest_line, limits.largest_body);
        let (headers, body, framing) = (Vec::new(), Vec::new(), Framing::Sse);
        let request = WireRequest { method: "POST", path: "/".to_owned(), headers, body, framing, largest_line, largest_body };
        exchange(&mut connection, &request, Box::new(Letters::default()), &limits, &clock).await
    }
    fn limits() -> Limits {
        let (largest_line, largest_body) = (1 << 24, 1 << 26);
        Limits { connect_ms: 1000, first_token_ms: 60_000, idle_ms: 15_000, total_ms: 300_000, largest_line, largest_body }
    }
    async fn answer(script: Vec<(u64, Step)>) -> Answer {
        answer_with(limits(), script).await
    }
    /// Time and width in milliseconds, phase and length of each text.
    fn points(answer: &Answer) -> Vec<(u64, u64, char, u32)> {
        assert!(answer.timeline.is_sound());
        answer.timeline.points().map(|p| (p.at.0 / ms(1), p.width_ns / ms(1), p.phase.letter(), p.bytes)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn every_text_gets_the_mark_of_its_frame() {
        let script = vec![
            (200, one("role", 1)),
            (500, one("r:hm", 2)),
            (520, Frames(vec![("r:so", 3), ("r:ok|c:Hi", 4)])),
            (600, Frames(vec![("c:there", 5), ("stop", 6), ("[DONE]", 7)])),
            (601, End),
        ];
        let answer = answer(script).await;
        let want = [(500, 0, 'r', 2), (520, 20, 'r', 2), (520, 0, 'r', 2), (520, 0, 'c', 2), (600, 80, 'c', 5)];
        assert_eq!(points(&answer), want);
        assert_eq!(answer.ended, Ended::Complete);
        assert_eq!((answer.end_marks.as_slice(), answer.frames), ([EndMark::Done].as_slice(), 7));
        assert_eq!(answer.finish.unwrap().normal, Finish::Stop);
        let text = answer.text.unwrap();
        assert_eq!((text.reasoning.as_str(), text.content.as_str()), ("hmsook", "Hithere"));
        assert_eq!(answer.timeline.points().map(|point| point.read).collect::<Vec<_>>(), [2, 3, 3, 3, 4]);
        assert_eq!(answer.timeline.points().map(|point| point.chunk).collect::<Vec<_>>(), [2, 3, 4, 4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_of_twenty_seconds_with_keep_alives_ends_at_the_idle_limit() {
        let mut script = vec![(500, one("r:hm", 1)), (520, one("r:so", 2))];
        script.extend((1..20).map(|s| (520 + s * 1000, Comment)));
        script.extend([(20_521, one("r:late", 3)), (20_600, End)]);
        let answer = answer(script).await;
        assert_eq!(answer.ended, Ended::TimedOut { limit: Limit::Idle });
        assert_eq!(points(&answer), [(500, 0, 'r', 2), (520, 0, 'r', 2)]);
        assert_eq!(answer.text.unwrap().reasoning, "hmso");
        let open = answer.stamps.closed.unwrap().since(answer.stamps.first_write.unwrap());
        assert_eq!(open / ms(1), 15_521, "the last text, the limit, and the timer's millisecond");
        assert_eq!(answer.comments, 15);
    }

    #[tokio::test(start_paused = true)]
    async fn role_chunks_and_comments_do_not_feed_the_first_token_limit() {
        let mut script: Vec<_> = (1..100).map(|s| (s * 1000, if s % 2 == 0 { Comment } else { one("role", s as u32) })).collect();
        script.push((100_000, End));
        let answer = answer(script).await;
        assert_eq!(answer.ended, Ended::TimedOut { limit: Limit::FirstToken });
        assert!(answer.timeline.is_empty());
        assert_eq!(answer.error, None, "a stream of keep-alives is no body to be read");
    }

    #[tokio::test(start_paused = true)]
    async fn the_total_limit_ends_a_reply_that_never_stalls() {
        let script: Vec<_> = (1..1000).map(|n| (n * 500, one("c:x", n as u32))).collect();
        let answer = answer(script).await;
        assert_eq!(answer.ended, Ended::TimedOut { limit: Limit::Total });
        assert_eq!(answer.timeline.len(), 600);
    }

    #[tokio::test(start_paused = true)]
    async fn a_held_text_keeps_the_time_of_its_first_byte() {
        let script = vec![
            (100, one("role", 1)),
            (110, one("role", 2)),
            (130, one("h2c:<b", 3)),
            (140, one("keep", 4)),
            (150, one("role", 5)),
            (170, End),
        ];
        let answer = answer(script).await;
        assert_eq!(points(&answer), [(130, 0, 'c', 2), (150, 0, 'c', 4)]);
        assert_eq!(answer.timeline.held, [Held { event: 0, since_ns: ms(100) }, Held { event: 1, since_ns: ms(140) }]);
    }

    #[tokio::test(start_paused = true)]
    async fn relabelled_content_moves_to_the_reasoning_in_order() {
        let script = vec![(10, one("r:a", 1)), (20, one("c:b", 2)), (30, one("r:c", 3)), (40, one("c:d|relabel|c:e", 4)), (50, End)];
        let answer = answer(script).await;
        assert!(answer.relabelled);
        assert_eq!(points(&answer).iter().map(|p| p.2).collect::<String>(), "rrrrc");
        let text = answer.text.unwrap();
        assert_eq!((text.reasoning.as_str(), text.content.as_str()), ("abcd", "e"));
    }

    #[tokio::test(start_paused = true)]
    async fn token_counts_include_the_texts_of_their_own_frame() {
        let script = vec![(10, one("u:1|c:a", 1)), (20, one("c:b|c:c|u:3", 2)), (30, one("u:3|stop", 3)), (40, End)];
        let answer = answer(script).await;
        let point = |events, completion| UsagePoint { events, completion, reasoning: None };
        assert_eq!(answer.timeline.usage, [point(1, 1), point(3, 3), point(3, 3)]);
        assert_eq!(answer.usage.unwrap().completion, Some(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_done_without_its_blank_line_is_still_an_end_and_a_cut_frame_is_no_text() {
        assert_eq!(answer(vec![(10, one("c:a", 1)), (20, one("[DONE]~", 1)), (20, End)]).await.end_marks, [EndMark::DoneLenient]);
        let cut = answer(vec![(10, one("c:a", 1)), (20, one("c:bc~", 1)), (20, Close)]).await;
        assert_eq!((points(&cut), cut.frames), (vec![(10, 0, 'c', 1)], 1));
        assert_eq!(cut.ended, Ended::ClosedEarly { message: "reset".to_owned() });
    }

    #[tokio::test(start_paused = true)]
    async fn what_shares_the_last_read_with_a_broken_end_is_not_exact() {
        let script = vec![(10, one("c:a", 1)), (30, Frames(vec![("c:b", 2), ("c:c", 3)])), (31, Close)];
        assert_eq!(points(&answer(script).await), [(10, 0, 'c', 1), (30, 20, 'c', 1), (30, 20, 'c', 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_without_frames_is_read_as_a_whole_and_the_header_says_when_to_come_back() {
        let head = Step::Head(429, vec![("Content-Type", "text/html"), ("Retry-After", "20"), ("Set-Cookie", "a=b")]);
        let answer = answer(vec![(5, head), (6, Body("<p>slow ")), (7, Body("down")), (8, End)]).await;
        let error = answer.error.unwrap();
        assert_eq!((error.message.as_str(), error.retry_after_s), ("429 text/html <p>slow down", Some(20.0)));
        assert!(!answer.headers.contains_key("set-cookie"));
        assert_eq!(answer.status, Some(429));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_in_the_stream_is_kept_and_the_first_one_counts() {
        let script =
            vec![(10, one("c:a", 1)), (20, one("error:first", 2)), (21, one("error:second", 3)), (22, one("[DONE]", 4)), (23, End)];
        let answer = answer(script).await;
        assert_eq!((answer.error.unwrap().message.as_str(), answer.end_marks.len()), ("first", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn time_never_runs_backwards_and_an_uncertain_time_is_never_zero_wide() {
        let clock = Clock::System;
        let patience = Patience::new(&limits(), Stamp(0));
        let mut watching = Watching::new(Box::new(Letters::default()), Framing::Sse, &patience);
        let mut frame = |data: &str, at: u64, after: u64, exact: bool| {
            watching.frame(Frame { name: "", data: data.as_bytes(), unterminated: false });
            watching.mark(Mark { at: Stamp(at), after: Stamp(after), user: Stamp(at), read: 1, chunk: 1, exact });
        };
        frame("c:early", 90, 90, true); // before the request was written
        frame("c:a", 500, 500, true);
        frame("c:b", 400, 400, true);
        frame("c:c", 500, 500, false);
        let mut facts = ExchangeFacts::default();
        facts.stamps.first_write = Some(Stamp(100));
        let answer = watching.answer(facts, Ended::Complete, &clock);
        let points: Vec<Point> = answer.timeline.points().collect();
        let seen: Vec<_> = points.iter().map(|p| (p.at, p.width_ns)).collect();
        assert_eq!(seen, [(Offset(0), 0), (Offset(400), 0), (Offset(400), 100), (Offset(400), 1)]);
    }

    #[test]
    fn a_failed_connection_is_an_answer_of_its_own() {
        let connect = Connect { id: 3, ..Connect::default() };
        let failure = ConnectFailure { stage: Stage::Dns, message: "no".to_owned(), timed_out: false, local: true, connect };
        let answer = connect_failed(failure.clone());
        assert_eq!(answer.ended, Ended::ConnectFailed { stage: Stage::Dns, message: "no".to_owned(), local: true });
        assert_eq!((answer.connect.id, answer.stamps.first_write), (3, None));
        let late = connect_failed(ConnectFailure { timed_out: true, ..failure });
        assert_eq!(late.ended, Ended::TimedOut { limit: Limit::Connect });
        assert_eq!(secs(1), ms(1000));
    }
}
