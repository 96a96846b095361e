//! Words for exact answers, for the check of the model, and for published figures.

use super::{Worded, withheld};
use crate::analysis::{ClaimCheck, ClaimVerdict, GradedRow, ModelCheck, ModelDifference, ModelVerdict, NotChecked, Value};
use crate::metric::{Unit, metric};
use crate::report::interval::figure;
use crate::report::tables::p_words;
use crate::report::{Digits, Lang, shown};
use crate::tokens::Basis;

/// What a row must say of answers that could not be read; nothing where all could be.
pub(in crate::report) fn unread(graded: &GradedRow, lang: Lang) -> Option<String> {
    let (unread, complete) = (graded.unread, graded.complete);
    (0 < unread).then(|| match lang {
        Lang::En => format!("{unread} of {complete} answers could not be read: not correct, and not called wrong"),
        Lang::Zh => format!("{complete} 个完整回复中有 {unread} 个答案无法识别：不算正确，也不算错误"),
    })
}

/// What differs, in words; nothing where nothing does.
pub fn model_differs(check: &ModelCheck, lang: Lang) -> Option<String> {
    let ModelVerdict::Differs { found, one_of_two } = &check.verdict else { return None };
    let mut words: Vec<String> = found.iter().map(|difference| difference.words(lang)).collect();
    if *one_of_two {
        words.push(lang.say("which of the two is the odd one cannot be told", "两者之中哪一个有异无从判断").into());
    }
    Some(words.join(lang.say("; ", "；")))
}

impl Worded for ModelDifference {
    fn words(&self, lang: Lang) -> String {
        let share = |share: f64| format!("{:.0} %", share * 100.0);
        match (self, lang) {
            (ModelDifference::Renamed { names }, Lang::En) => format!("it answered by {} names: {}", names.len(), lang.list(names)),
            (ModelDifference::Renamed { names }, Lang::Zh) => {
                format!("先后以 {} 个模型名作答：{}", names.len(), lang.list(names))
            }
            (ModelDifference::Accuracy { own, others, p }, Lang::En) => {
                format!("{} of its answers are correct, {} of the others' ({})", share(*own), share(*others), p_words(*p))
            }
            (ModelDifference::Accuracy { own, others, p }, Lang::Zh) => {
                format!("答案正确率 {}，其他对象为 {}（{}）", share(*own), share(*others), p_words(*p))
            }
            (ModelDifference::Length { ratio, .. }, Lang::En) => {
                format!("its replies are {}× as long as the others'", shown(*ratio, Digits::Three))
            }
            (ModelDifference::Length { ratio, .. }, Lang::Zh) => {
                format!("回复长度是其他对象的 {} 倍", shown(*ratio, Digits::Three))
            }
            (ModelDifference::Counts { own, others }, Lang::En) => {
                format!("it reports {own:.2} tokens for each counted one, the others {others:.2}")
            }
            (ModelDifference::Counts { own, others }, Lang::Zh) => {
                format!("每数得 1 个 token 上报 {own:.2} 个，其他对象为 {others:.2} 个")
            }
        }
    }
}

impl Worded for NotChecked {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            NotChecked::NoFamily => ("the model's family is not known", "模型家族未知"),
            NotChecked::NoOther => ("no other target serves this model", "没有其他对象提供同一模型"),
            NotChecked::ClientLimited => ("this client was the bottleneck", "瓶颈在本客户端"),
            NotChecked::TooFew => ("fewer than six rounds and ten exact answers", "不足六轮，准确答案也不足十个"),
        };
        lang.say(en, zh).to_owned()
    }
}

impl Worded for ModelVerdict {
    fn words(&self, lang: Lang) -> String {
        match self {
            ModelVerdict::Consistent => lang.say("consistent", "一致").into(),
            ModelVerdict::Differs { .. } => lang.say("differs", "有差异").into(),
            ModelVerdict::NotChecked { why } => {
                format!("{}{}{}", lang.say("not checked (", "未检查（"), why.words(lang), lang.say(")", "）"))
            }
        }
    }
}

/// The check of all targets in one line: who is consistent, who differs, how many were not checked and why. Nothing where none was.
pub(in crate::report) fn same_model(checks: &[(String, &ModelCheck)], lang: Lang) -> Option<String> {
    let named = |wanted: fn(&ModelVerdict) -> bool| {
        let names: Vec<&str> = checks.iter().filter(|(_, check)| wanted(&check.verdict)).map(|(name, _)| name.as_str()).collect();
        let word = checks.iter().find(|(_, check)| wanted(&check.verdict)).map(|(_, check)| check.verdict.words(lang))?;
        Some(format!("{word}{}{}", lang.say(": ", "："), lang.list(names)))
    };
    let consistent = named(|verdict| *verdict == ModelVerdict::Consistent);
    let differs = named(|verdict| matches!(verdict, ModelVerdict::Differs { .. }));
    let unchecked =
        [NotChecked::NoFamily, NotChecked::NoOther, NotChecked::TooFew, NotChecked::ClientLimited].into_iter().filter_map(|why| {
            let n = checks.iter().filter(|(_, check)| check.verdict == ModelVerdict::NotChecked { why }).count();
            (0 < n).then(|| format!("{}{}{n}", ModelVerdict::NotChecked { why }.words(lang), lang.say(": ", "：")))
        });
    if consistent.is_none() && differs.is_none() {
        return None;
    }
    let parts: Vec<String> = consistent.into_iter().chain(differs).chain(unchecked).collect();
    Some(format!("{}{}{}", lang.say("Same model? ", "是否同一模型？"), parts.join(lang.say("; ", "；")), lang.say(".", "。")))
}

impl Worded for ClaimCheck {
    fn words(&self, lang: Lang) -> String {
        let claim = &self.claim;
        let unit = metric(&claim.metric).map_or("", |metric| metric.unit.symbol());
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let (name, value) = (&claim.metric, shown(claim.value, Digits::Fine));
        let published = match lang {
            Lang::En => format!("published {name} {value}{unit} ({}, {})", claim.source, claim.date),
            Lang::Zh => format!("公布的 {name} 为 {value}{unit}（{}，{}）", claim.source, claim.date),
        };
        let seen = |measured: &Value| {
            let (number, interval) = figure(measured.value, measured.interval, digits(name), lang);
            format!("{number} {}", interval.bracketed()).trim_end().to_owned()
        };
        let held = match (&self.verdict, lang) {
            (ClaimVerdict::Agrees { measured }, Lang::En) => format!("the measurement agrees, {}", seen(measured)),
            (ClaimVerdict::Agrees { measured }, Lang::Zh) => format!("与测得的 {} 相符", seen(measured)),
            (ClaimVerdict::ClaimHigher { measured, ratio }, Lang::En) => {
                format!("higher than measured, {}: {}×", seen(measured), shown(*ratio, Digits::Three))
            }
            (ClaimVerdict::ClaimHigher { measured, ratio }, Lang::Zh) => {
                format!("高于测得的 {}，为其 {} 倍", seen(measured), shown(*ratio, Digits::Three))
            }
            (ClaimVerdict::ClaimLower { measured, ratio }, Lang::En) => {
                format!("lower than measured, {}: {}×", seen(measured), shown(*ratio, Digits::Three))
            }
            (ClaimVerdict::ClaimLower { measured, ratio }, Lang::Zh) => {
                format!("低于测得的 {}，为其 {} 倍", seen(measured), shown(*ratio, Digits::Three))
            }
            (ClaimVerdict::Withheld { measured, bottleneck }, Lang::En) => {
                format!("measured {}, {}", seen(measured), withheld(bottleneck, lang))
            }
            (ClaimVerdict::Withheld { measured, bottleneck }, Lang::Zh) => {
                format!("测得 {}，{}", seen(measured), withheld(bottleneck, lang))
            }
            (ClaimVerdict::TooFewRounds { measured }, Lang::En) => {
                format!("measured {}, in too few rounds to say whether it agrees", seen(measured))
            }
            (ClaimVerdict::TooFewRounds { measured }, Lang::Zh) => format!("测得 {}，轮数太少，不足以判断是否相符", seen(measured)),
            (ClaimVerdict::NotComparable { basis }, Lang::En) => {
                format!("not comparable with {}", basis_words(*basis, lang))
            }
            (ClaimVerdict::NotComparable { basis }, Lang::Zh) => format!("与{}不可比较", basis_words(*basis, lang)),
            (ClaimVerdict::NotMeasured { why }, Lang::En) => format!("not measured: {}", why.words(lang)),
            (ClaimVerdict::NotMeasured { why }, Lang::Zh) => format!("未测得：{}", why.words(lang)),
            (ClaimVerdict::Never, _) => lang.say("never reached", "从未达到").into(),
        };
        format!("{published}{}{held}", lang.say(": ", "："))
    }
}

/// Why published figures stand beside none of this table's; said once for all.
pub(in crate::report) fn claims_not_comparable(basis: Basis, lang: Lang) -> String {
    let counts = basis_words(basis, lang);
    match lang {
        Lang::En => format!("Published figures are not comparable with {counts}; `--basis reported` holds them against the measurement."),
        Lang::Zh => format!("公布的数值与{counts}不可比较；加 `--basis reported` 即与测量结果对照。"),
    }
}

fn basis_words(basis: Basis, lang: Lang) -> &'static str {
    match basis {
        Basis::Reported => lang.say("reported tokens", "上报的 token 数"),
        Basis::Reference => lang.say("tokens counted by a reference tokenizer", "参考分词器计得的 token 数"),
        Basis::Chars => lang.say("characters", "字符数"),
    }
}

fn digits(name: &str) -> Digits {
    match metric(name).map(|metric| metric.unit) {
        Some(Unit::Milliseconds) => Digits::Tenths,
        _ => Digits::Three,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Claim;
    use crate::stats::Interval;

    fn check(verdict: ClaimVerdict) -> ClaimCheck {
        let claim = Claim { metric: "content_speed".into(), value: 60.0, source: "an article".into(), date: "2025-06".into() };
        ClaimCheck { claim, verdict }
    }

    #[test]
    fn a_published_figure_is_named_with_its_source_and_what_was_measured() {
        let measured = Value { value: 40.02, measured_within: None, n: 40, interval: Some(Interval::closed(38.1, 42.3)) };
        let higher = check(ClaimVerdict::ClaimHigher { measured: measured.clone(), ratio: 1.5 });
        assert_eq!(
            higher.words(Lang::En),
            "published content_speed 60 tok/s (an article, 2025-06): higher than measured, 40.0 [38.1–42.3]: 1.50×"
        );
        assert_eq!(
            higher.words(Lang::Zh),
            "公布的 content_speed 为 60 tok/s（an article，2025-06）：高于测得的 40.0 [38.1–42.3]，为其 1.50 倍"
        );
        let agrees = check(ClaimVerdict::Agrees { measured });
        assert!(agrees.words(Lang::En).ends_with("the measurement agrees, 40.0 [38.1–42.3]"), "{}", agrees.words(Lang::En));
        let other = check(ClaimVerdict::NotComparable { basis: Basis::Reference });
        assert!(other.words(Lang::Zh).ends_with("与参考分词器计得的 token 数不可比较"), "{}", other.words(Lang::Zh));
    }
}
