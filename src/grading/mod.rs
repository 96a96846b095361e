//! The answer of a reply, held against the exact one of its prompt. Strict on purpose: what is not in the form that the prompt asked
//! for is *unread*, which is neither correct nor wrong. docs/datasets.md tells the rules to whoever writes a dataset.
//!
//! Both wings use it: a run that keeps no text is graded before the text is dropped, any other when it is read.

mod line;
mod value;

use crate::record::{Answer, Graded, Unread};

/// The grade of a reply: by its text where that was kept, else as it was stored.
pub fn grade(answer: &Answer, exact: &str) -> Graded {
    match (&answer.text, answer.grade) {
        (Some(text), _) => of_content(&text.content, exact),
        (None, Some(stored)) => stored,
        (None, None) if answer.timeline.is_empty() => Graded::Unread(Unread::NoContent),
        (None, None) => Graded::Unread(Unread::NotKept),
    }
}

/// The grade of a reply's content, which the reasoning is no part of.
pub fn of_content(content: &str, exact: &str) -> Graded {
    match line::given(content) {
        Ok(given) => value::compare(given, exact),
        Err(why) => Graded::Unread(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{Ended, TextOfPhases};

    const CORRECT: Graded = Graded::Correct;
    const WRONG: Graded = Graded::Wrong;
    const fn unread(why: Unread) -> Graded {
        Graded::Unread(why)
    }

    #[track_caller]
    fn check(exact: &str, cases: &[(&str, Graded)]) {
        for (content, graded) in cases {
            assert_eq!(of_content(content, exact), *graded, "{content:?} against {exact:?}");
        }
    }

    #[test]
    fn a_number_is_a_number_however_it_is_written() {
        check(
            "1525",
            &[
                ("So it is 1525.\n\nAnswer: 1525", CORRECT),
                ("Answer: 1,525", CORRECT),
                ("Answer: 1,525.", CORRECT),
                ("Answer: 01525.00", CORRECT),
                ("Answer: +1525", CORRECT),
                ("Answer: 3050/2", CORRECT),
                ("Answer: \\frac{3050}{2}", CORRECT),
                ("**Answer:** 1525", CORRECT),
                ("**Answer: 1525**", CORRECT),
                ("Answer: **$1{,}525$**", CORRECT),
                ("Answer: $\\boxed{1\\,525}$.", CORRECT),
                ("answer : 1 525", CORRECT),
                ("### Final Answer: `1525`", CORRECT),
                ("Answer: 1525.1", WRONG),
                ("Answer: -1525", WRONG),
                ("Answer: 15,25", unread(Unread::NoNumber)),
                ("Answer: 1525 minutes", unread(Unread::NoNumber)),
                ("Answer: 1525 or 1526", unread(Unread::NoNumber)),
                ("Answer: X = 1525", unread(Unread::NoNumber)),
                ("Answer: one thousand five hundred and twenty-five", unread(Unread::NoNumber)),
            ],
        );
    }

    #[test]
    fn a_chinese_reply_is_read_by_the_same_rules() {
        check(
            "219",
            &[
                ("先算总数……\n答案：219", CORRECT),
                ("答案:219", CORRECT),
                ("答案：２１９。", CORRECT),
                ("**答案：219**", CORRECT),
                ("**答案**：$\\boxed{219}$", CORRECT),
                ("最终答案：219", CORRECT),
                ("答案：２１８", WRONG),
                ("答案：219 个", unread(Unread::NoNumber)),
                ("答案：二百一十九", unread(Unread::NoNumber)),
                ("所以一共卖掉了 219 个。", unread(Unread::NoLine)),
                ("所以答案：219", unread(Unread::NoLine)),
                ("答案是 219", unread(Unread::NoLine)),
            ],
        );
        check("1234567", &[("答案：１，２３４，５６７", CORRECT), ("答案：123,4567", unread(Unread::NoNumber))]);
        check("四", &[("答案：四。", CORRECT), ("答案：「四」", CORRECT), ("答案：五", WRONG), ("答案：星期四", unread(Unread::More))]);
    }

    #[test]
    fn a_word_is_a_word_whatever_its_case() {
        check(
            "Thursday",
            &[
                ("Answer: Thursday", CORRECT),
                ("Answer: THURSDAY.", CORRECT),
                ("**Answer: \\boxed{\\text{Thursday}}**", CORRECT),
                ("Answer: “Thursday”", CORRECT),
                ("Answer: Ｔhursday", CORRECT),
                ("Answer: Friday", WRONG),
                ("Answer: Thursday, since 265 = 37 · 7 + 6", unread(Unread::More)),
                ("Answer: not Thursday", unread(Unread::More)),
            ],
        );
        check("New York", &[("Answer: new   york", CORRECT), ("Answer: York", WRONG)]);
    }

    #[test]
    fn the_last_line_of_the_form_counts_and_no_other() {
        check(
            "15",
            &[
                ("Answer: 12\nNo, wait.\nAnswer: 15\nI hope this helps!", CORRECT),
                ("Answer: 15\nNo, wait.\nAnswer: 12", WRONG),
                ("Answer: 15\r\nAnswer:\r\n", unread(Unread::Nothing)),
                ("Answer:\n15", unread(Unread::Nothing)),
                ("```\nAnswer: 15\n```", unread(Unread::InCode)),
                ("Answer: 15\n```text\nAnswer: 12\n```\n", CORRECT),
                ("Answer: 12\n~~~\nAnswer: 15\n", WRONG),
                ("The question was \"Answer: 15\"", unread(Unread::NoLine)),
                ("Answers: 15", unread(Unread::NoLine)),
                ("", unread(Unread::NoContent)),
                (" \n ", unread(Unread::NoContent)),
            ],
        );
    }

    #[test]
    fn thinking_that_stayed_in_the_content_holds_no_answer() {
        check(
            "15",
            &[
                ("<think>Answer: 12</think>\nAnswer: 15", CORRECT),
                ("<think>\nAnswer: 15\n</think>\nIt is fifteen.", unread(Unread::NoLine)),
                ("Answer: 15 it was?\n</think>\nAnswer: 12", WRONG),
                ("<think>\nAnswer: 15\n", unread(Unread::NoLine)),
            ],
        );
    }

    #[test]
    fn hostile_lines_are_read_or_not_but_never_break_anything() {
        let long = "9".repeat(5000);
        let nested = format!("Answer: {}15{}", "\\boxed{".repeat(40), "}".repeat(40));
        check("15", &[(&format!("Answer: {long}"), unread(Unread::NoNumber)), (&nested, unread(Unread::NoNumber))]);
        check(
            "15",
            &[
                ("Answer: 15/0", unread(Unread::NoNumber)),
                ("Answer: \u{202e}15", unread(Unread::NoNumber)),
                ("Answer: \\boxed{", unread(Unread::NoNumber)),
                ("Answer: $", unread(Unread::Nothing)),
                ("Answer: **", unread(Unread::Nothing)),
                ("答案：\u{3000}", unread(Unread::Nothing)),
                ("答", unread(Unread::NoLine)),
                ("Answe", unread(Unread::NoLine)),
                ("ſ: Answer", unread(Unread::NoLine)),
            ],
        );
    }

    #[test]
    fn what_was_dropped_is_graded_as_it_was_stored() {
        let kept = |content: &str| Answer {
            text: Some(TextOfPhases { content: content.into(), reasoning: "Answer: 15".into(), ..TextOfPhases::default() }),
            grade: Some(WRONG),
            ..Answer::empty(Ended::Complete)
        };
        assert_eq!(grade(&kept("Answer: 15"), "15"), CORRECT);
        assert_eq!(grade(&kept("no"), "15"), unread(Unread::NoLine));
        assert_eq!(grade(&Answer { text: None, ..kept("") }, "15"), WRONG);
        assert_eq!(grade(&Answer::empty(Ended::Complete), "15"), unread(Unread::NoContent));
    }
}
