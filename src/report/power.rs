//! How many more rounds a difference needs.

use super::caption::worth;
use super::made::Reading;
use super::tables::Tables;
use super::targets::target_name;
use super::words::{lasting, percent, withheld};
use super::{Cell, Column, Digits, Kind, Lang, Row, Table, Worded, shown};
use crate::analysis::{Bottleneck, PairPower, Panel, Power};
use serde_json::{Value, json};

/// The views of what is needed, one of each quantity.
pub fn powers(reading: &Reading<'_>, powers: &[(Panel, Power)]) -> Tables {
    Tables {
        shared: reading.shared(powers.first().map(|(panel, _)| panel), None).into_iter().chain([worth(reading.lang).to_owned()]).collect(),
        people: powers.iter().map(|(_, power)| for_people(reading, power)).collect(),
        list: list(reading, powers),
        full: powers.iter().map(|(_, power)| in_full(reading, power)).collect(),
    }
}

fn for_people(reading: &Reading<'_>, power: &Power) -> Table {
    let lang = reading.lang;
    let whole = Kind::Number { in_seconds: false, digits: Digits::Whole };
    let three = Kind::Number { in_seconds: false, digits: Digits::Three };
    let columns = vec![
        Column::new("pair", lang.say("pair", "对象"), Kind::Name),
        Column::new("rounds", lang.say("rounds", "已有轮数"), whole),
        Column::new("sd_log", lang.say("sd of ln ratio", "对数比标准差"), three),
        Column::new("dependence", lang.say("R/n_eff", "R/n_eff"), three),
        Column::new("visible", lang.say("visible now", "目前看得出"), three).unit("×"),
        Column::new("needed", lang.say("needed", "需要轮数"), whole),
        Column::new("more", lang.say("more", "还需轮数"), whole),
        Column::new("takes", lang.say("that takes", "还需时间"), Kind::Words),
    ];
    let row = |pair: &PairPower| {
        let why = match &power.client {
            Some(bottleneck) => withheld(bottleneck, lang),
            None => lang.say("fewer than three rounds", "不足三轮").into(),
        };
        let few = || Cell::Missing(why.clone());
        let of = |value: Option<f64>| value.map_or_else(few, Cell::number);
        let takes = match (pair.more, pair.takes_s) {
            (Some(0), _) => lang.say("enough", "已足够").to_owned(),
            (Some(_), Some(seconds)) => lasting(seconds, lang),
            _ => "—".to_owned(),
        };
        Row::new(vec![
            Cell::text(names(pair).join(lang.say(" against ", " 对 "))),
            Cell::number(pair.rounds as f64),
            of(pair.sd),
            of(pair.dependence),
            of(pair.visible),
            of(pair.needed.map(f64::ceil)),
            of(pair.more.map(|more| more as f64)),
            Cell::Text(takes),
        ])
    };
    Table {
        lang,
        title: title(reading, power),
        columns,
        rows: power.pairs.iter().map(row).collect(),
        legend: legend(power, lang),
        warnings: power.client.iter().map(|bottleneck| no_number(bottleneck, lang)).collect(),
        caption: reading.own(power.quantity, 0),
        constants: reading.constants(),
        ..Table::default()
    }
}

fn title(reading: &Reading<'_>, power: &Power) -> String {
    let (what, ratio) = (power.quantity.words(reading.lang), shown(power.ratio, Digits::Three));
    reading.title(&match reading.lang {
        Lang::En => format!("{what}, rounds that a ratio of {ratio}× needs"),
        Lang::Zh => format!("{what}：看出 {ratio} 倍之差所需的轮数"),
    })
}

fn legend(power: &Power, lang: Lang) -> Vec<String> {
    let (ratio, least) = (shown(power.ratio, Digits::Three), percent(power.ratio - 1.0));
    let mut lines = vec![
        match lang {
            Lang::En => format!(
                "needed: 2 + 7.85 s²/ln({ratio})² rounds, so that a difference of {least} is seen in 80 of 100 such runs at 5 % (one pair; \
                 more pairs in a table need more); multiplied by R/n_eff in its second term, as rounds that depend on each other count for \
                 fewer; at least 6"
            ),
            Lang::Zh => format!(
                "需要轮数：2 + 7.85 s²/ln({ratio})²，使 {least} 的差异在 100 次这样的测量中有 80 次能以 5 % 水平看出（只论一对；一张表里对数越多，\
                 所需越多）；第二项乘以 R/n_eff，因为互相关联的轮只抵较少的轮；至少 6 轮"
            ),
        },
        lang.say(
            "visible now: the smallest ratio that these rounds could have shown, on the same terms",
            "目前看得出：按同样条件，已有轮数所能看出的最小比值",
        )
        .into(),
    ];
    lines.extend(power.every_s.map(|every| {
        let every = lasting(every, lang);
        match (power.every_is_planned, lang) {
            (true, Lang::En) => format!("time: the plan has one round every {every}"),
            (true, Lang::Zh) => format!("时间：计划每 {every}一轮"),
            (false, Lang::En) => format!("time: the plan has one round after another, here one every {every}"),
            (false, Lang::Zh) => format!("时间：计划各轮紧接，此处约每 {every}一轮"),
        }
    }));
    if !power.left_out.is_empty() {
        let names = lang.list(power.left_out.iter().map(|(target, simulated)| target_name(target.as_str(), *simulated)));
        lines.push(match lang {
            Lang::En => format!("left out, nothing to compare: {names}"),
            Lang::Zh => format!("无可比较，未列入：{names}"),
        });
    }
    lines
}

fn no_number(bottleneck: &Bottleneck, lang: Lang) -> String {
    let why = lang.say("its own lag is in the spread of the rounds", "各轮的离散程度中含有它自身的滞后");
    format!("{}{}{why}", withheld(bottleneck, lang), lang.say(", and ", "，"))
}

fn names(pair: &PairPower) -> [String; 2] {
    [&pair.first, &pair.second].map(|target| target_name(target.as_str(), pair.simulated))
}

fn list(reading: &Reading<'_>, powers: &[(Panel, Power)]) -> Table {
    let plain = |name: &str| Column::new(name, name, Kind::Number { in_seconds: false, digits: Digits::Three });
    let columns = vec![
        Column::new("metric", "metric", Kind::Words),
        Column::new("first", "first", Kind::Name),
        Column::new("second", "second", Kind::Words),
        plain("ratio"),
        plain("rounds"),
        plain("sd_log"),
        plain("r1_corrected"),
        plain("dependence"),
        plain("visible"),
        plain("needed"),
        plain("more"),
        plain("takes_s"),
    ];
    let row = |power: &Power, pair: &PairPower| {
        let of = |value: Option<f64>| value.map_or_else(|| Cell::Missing(String::new()), Cell::number);
        let [first, second] = names(pair);
        Row::new(vec![
            Cell::text(power.quantity.name()),
            Cell::Text(first),
            Cell::Text(second),
            Cell::number(power.ratio),
            Cell::number(pair.rounds as f64),
            of(pair.sd),
            of(pair.r1_corrected),
            of(pair.dependence),
            of(pair.visible),
            of(pair.needed),
            of(pair.more.map(|more| more as f64)),
            of(pair.takes_s),
        ])
    };
    let rows = powers.iter().flat_map(|(_, power)| power.pairs.iter().map(|pair| row(power, pair)).collect::<Vec<_>>());
    Table { columns, rows: rows.collect(), constants: reading.constants(), ..Table::default() }
}

fn in_full(reading: &Reading<'_>, power: &Power) -> Value {
    let table = for_people(reading, power);
    let pairs = power.pairs.iter().map(|pair| {
        let [first, second] = names(pair);
        let mut value = serde_json::to_value(pair).unwrap_or_default();
        value["first"] = json!(first);
        value["second"] = json!(second);
        value
    });
    let mut whole = json!({
        "metric": power.quantity.name(),
        "title": table.title,
        "ratio": power.ratio,
        "every_s": power.every_s,
        "every_is_planned": power.every_is_planned,
        "pairs": pairs.collect::<Vec<_>>(),
        "left_out": power.left_out.iter().map(|(target, simulated)| target_name(target.as_str(), *simulated)).collect::<Vec<_>>(),
        "warnings": table.warnings,
        "client_limited": power.client,
        "legend": table.legend,
        "caption": table.caption,
    });
    for (name, value) in table.constants {
        whole[name] = json!(value);
    }
    whole
}
