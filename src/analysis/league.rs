//! The league of one quantity: places as intervals, from the comparisons of all pairs; there is no composite score.

use super::bar::{Bar, bars};
use super::claims::ClaimCheck;
use super::compare::{Comparing, ratio};
use super::gate::Bottleneck;
use super::pairs::{Pair, judged};
use super::panel::{Entry, Panel};
use super::quantity::Quantity;
use super::verdict::{Judging, ROUNDS_FOR_INTERVALS, Side, Verdict};
use crate::ident::TargetId;
use crate::stats::{
    Clustered, ClusteredShare, Confidence, Estimate, Extended, Friedman, RankInterval, Sample, clustered_quantile_of, clustered_share,
    friedman, median, plain_paired, rank_intervals, visible_difference,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Below so many rounds a league is preliminary.
const ROUNDS_TO_PUBLISH: usize = 24;
/// Below so many calendar days (UTC) too.
const DAYS_TO_PUBLISH: usize = 2;
/// A median takes so many values, a 95th percentile so many.
const VALUES: [usize; 2] = [5, 20];

/// The league of one quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct League {
    /// What is ranked.
    #[serde(skip)]
    pub quantity: Quantity,
    /// How strictly.
    pub judging: Judging,
    /// The ranked ones, the best first.
    pub ranked: Vec<Placing>,
    /// Those that may not be ranked, the best first.
    pub unranked: Vec<Placing>,
    /// Pairs in the family of Holm's adjustment.
    pub family: usize,
    /// Do the ranked ones differ at all? Friedman's test of their round values, where every round has all of them.
    pub differ: Option<Friedman>,
    /// Fewer than 24 rounds or 2 calendar days.
    pub preliminary: bool,
    /// Rounds that count.
    pub rounds: usize,
    /// Prompts a round.
    pub prompts: usize,
    /// Calendar days (UTC) on which a round began.
    pub days: usize,
    /// From the first round to the last.
    pub span: Option<(jiff::Timestamp, jiff::Timestamp)>,
    /// The run's limit T, s.
    pub limit_s: f64,
    /// Good replies and requests sent, of all targets.
    pub success: (usize, usize),
    /// The smallest ratio that a typical pair of the ranked could have shown with 80 % power at 5 %.
    pub visible: Option<f64>,
    /// This client was the bottleneck in too many rounds: nobody is ranked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Bottleneck>,
}

/// A target's row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Placing {
    /// Its place in the panel.
    #[serde(skip)]
    pub index: usize,
    /// The target.
    pub target: TargetId,
    /// It is one of our own simulated providers.
    pub simulated: bool,
    /// The places that it may hold; absent below the line.
    pub rank: Option<RankInterval>,
    /// Rows of one shade have the same places: 0 for the best, then 1 …
    pub shade: Option<usize>,
    /// What it is ordered by: the geometric mean of charged times, in the quantity's own unit (a rate is a rate again).
    pub value: Option<Estimate>,
    /// That value over the best one's: above 1 it is slower in times, below 1 in rates.
    pub times_best: Option<Estimate>,
    /// The median as tables show it: over all requests sent for times, over good replies for rates.
    pub p50: Option<Estimate>,
    /// The 95th percentile of times; for rates the 5th, which 95 % of good replies reach.
    pub p95: Option<Estimate>,
    /// Success, clustered Wilson.
    pub success: Option<ClusteredShare>,
    /// Rounds that have it.
    pub rounds: usize,
    /// Requests that count, good or charged.
    pub requests: usize,
    /// Calendar days (UTC) of its rounds.
    pub days: usize,
    /// Why it is not ranked; empty above the line.
    pub bars: Vec<Bar>,
    /// What a reader should know of the row.
    pub remarks: Vec<LeagueRemark>,
}

/// A remark on a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "remark", content = "of")]
pub enum LeagueRemark {
    /// It stands above or below this one by its value, and the rounds that both have show the contrary: the two were not measured in the same
    /// rounds.
    OtherRounds {
        /// The other one.
        other: TargetId,
    },
    /// Charging rate-limited requests and leaving them out put these two in different order, so neither order counts.
    OrderHangsOnRateLimits {
        /// The other one.
        other: TargetId,
    },
    /// Requests over the quota.
    RateLimited(usize),
    /// Good replies that came bundled.
    Bundled(usize),
    /// Good replies that hide thinking, or may.
    Hidden(usize),
    /// Good replies without token counts.
    Uncounted(usize),
    /// All its rounds have one value, or the same ratio to another's.
    Identical,
    /// A published figure of this quantity.
    Claim {
        /// Whether the measurement agrees.
        check: ClaimCheck,
    },
}

impl League {
    /// The same league with published figures of its quantity beside, by target.
    pub fn with_claims(mut self, claims: &[Vec<ClaimCheck>]) -> League {
        let name = self.quantity.name();
        for placing in self.ranked.iter_mut().chain(&mut self.unranked) {
            let of = claims.get(placing.index).into_iter().flatten().filter(|check| check.claim.metric == name);
            placing.remarks.extend(of.map(|check| LeagueRemark::Claim { check: check.clone() }));
        }
        self
    }
}

/// Makes the league of a panel. The baseline is not used.
pub fn league(panel: &Panel, how: &Comparing) -> League {
    let confidence = how.judging.confidence;
    let differs = |target: usize| how.model_differs.get(target).and_then(Option::as_deref);
    let (mut ranked, mut unranked): (Vec<Placing>, Vec<Placing>) = (0..panel.targets.len())
        .map(|target| standing(panel, target, bars(panel, target, confidence, differs(target)), confidence))
        .partition(|standing| standing.bars.is_empty());
    for rows in [&mut ranked, &mut unranked] {
        rows.sort_by(|a, b| time_of(panel.quantity, a).total_cmp(&time_of(panel.quantity, b)));
    }
    let family: Vec<(usize, usize)> =
        crate::stats::pairs(ranked.len()).map(|(better, worse)| (ranked[better].index, ranked[worse].index)).collect();
    let judged = judged(panel, &family, &how.judging);
    place(&mut ranked, &judged);
    set_against_best(panel, &mut ranked, how);
    remark_on_pairs(panel, &mut ranked, &judged);
    let counting: Vec<usize> = (0..panel.rounds.len())
        .filter(|round| panel.targets.iter().any(|target| target.success.get(*round).is_some_and(|(_, sent)| 0 < *sent)))
        .collect();
    let days = days(panel, counting.iter().copied());
    let totals = (0..panel.targets.len()).map(|target| panel.success(target));
    League {
        quantity: panel.quantity,
        judging: how.judging,
        family: family.len(),
        differ: omnibus(panel, &ranked),
        preliminary: counting.len() < ROUNDS_TO_PUBLISH || days < DAYS_TO_PUBLISH,
        rounds: counting.len(),
        prompts: panel.prompts,
        days,
        span: panel.span(),
        limit_s: panel.limit_s,
        success: totals.fold((0, 0), |(ok, sent), each| (ok + each.0, sent + each.1)),
        client: panel.client,
        visible: median(&judged.iter().filter_map(visible).collect::<Vec<_>>()),
        ranked,
        unranked,
    }
}

fn time_of(quantity: Quantity, standing: &Placing) -> f64 {
    // What has no value stands last.
    standing.value.and_then(|value| value.point.finite()).map_or(f64::INFINITY, |value| quantity.as_time(value))
}

/// The smallest ratio that a pair's rounds could have shown, dependence of the rounds included.
pub(super) fn visible(pair: &Pair) -> Option<f64> {
    let paired = pair.paired?;
    visible_difference(paired.sd * (paired.n as f64 / paired.n_eff).sqrt(), paired.n).filter(|ratio| 1.0 < *ratio)
}

/// Rank intervals and shades, from who is shown to be faster.
fn place(ranked: &mut [Placing], judged: &[Pair]) {
    let k = ranked.len();
    let mut better = vec![false; k * k];
    for ((i, j), pair) in crate::stats::pairs(k).zip(judged) {
        match pair.verdict.faster() {
            Some(Side::First) => better[i * k + j] = true,
            Some(Side::Second) => better[j * k + i] = true,
            None => {}
        }
    }
    let mut last: Option<(RankInterval, usize)> = None;
    for (standing, rank) in ranked.iter_mut().zip(rank_intervals(k, |i, j| better[i * k + j])) {
        let shade = match last {
            Some((before, shade)) if before == rank => shade,
            Some((_, shade)) => shade + 1,
            None => 0,
        };
        last = Some((rank, shade));
        (standing.rank, standing.shade) = (Some(rank), Some(shade));
    }
}

fn set_against_best(panel: &Panel, ranked: &mut [Placing], how: &Comparing) {
    let Some(first) = ranked.first_mut() else { return };
    let best = first.index;
    first.times_best = Some(Estimate { point: Extended::Finite(1.0), interval: None, n: first.rounds });
    for standing in ranked.iter_mut().skip(1) {
        let pair = judged(panel, &[(standing.index, best)], &how.judging).pop();
        let Some(times) = pair.and_then(|pair| ratio(&pair).ok()) else { continue };
        standing.times_best = Some(if panel.quantity.is_rate() { inverse(times) } else { times });
    }
}

fn inverse(estimate: Estimate) -> Estimate {
    let point = estimate.point.finite().map_or(Extended::Never, |point| Extended::Finite(1.0 / point));
    Estimate { point, interval: estimate.interval.map(|interval| interval.map_decreasing(|end| 1.0 / end)), n: estimate.n }
}

fn remark_on_pairs(panel: &Panel, ranked: &mut [Placing], judged: &[Pair]) {
    for pair in judged {
        for (of, other) in [(pair.first, pair.second), (pair.second, pair.first)] {
            let remark = match pair.verdict {
                Verdict::NotRanked { .. } => LeagueRemark::OrderHangsOnRateLimits { other: panel.targets[other].id.clone() },
                Verdict::IdenticalData => LeagueRemark::Identical,
                // The first of a pair stands above the second.
                _ if pair.verdict.faster() == Some(Side::Second) => LeagueRemark::OtherRounds { other: panel.targets[other].id.clone() },
                _ => continue,
            };
            let row = ranked.iter_mut().find(|standing| standing.index == of);
            row.filter(|row| !row.remarks.contains(&remark)).into_iter().for_each(|row| row.remarks.push(remark.clone()));
        }
    }
}

fn standing(panel: &Panel, index: usize, bars: Vec<Bar>, confidence: Confidence) -> Placing {
    let facts = &panel.targets[index];
    let levels = panel.levels(index);
    let empty = bars.iter().any(Bar::leaves_nothing);
    let logs: Vec<f64> = levels.iter().map(|(_, level)| *level).collect();
    let counts: Vec<(u64, u64)> = facts.success.iter().map(|(ok, sent)| (*ok as u64, *sent as u64)).collect();
    let entries = || levels.iter().flat_map(|(round, _)| panel.entries(index, *round)).filter(|entry| entry.time().is_some());
    let [p50, p95] = if empty { [None, None] } else { quantiles(panel, index, confidence) };
    let quantity = panel.quantity;
    let mut remarks = Vec::new();
    remarks.extend((0 < facts.rate_limited).then_some(LeagueRemark::RateLimited(facts.rate_limited)));
    remarks.extend((quantity.spoilt_by_bundles() && 0 < facts.bundled).then_some(LeagueRemark::Bundled(facts.bundled)));
    remarks.extend((quantity.spoilt_by_hidden_thinking() && 0 < facts.hidden).then_some(LeagueRemark::Hidden(facts.hidden)));
    remarks.extend((quantity.by_tokens() && 0 < facts.uncounted).then_some(LeagueRemark::Uncounted(facts.uncounted)));
    // What bars it need not be remarked on again.
    remarks.retain(|remark| {
        !bars.iter().any(|bar| {
            matches!(
                (bar, remark),
                (Bar::QuotaBound { .. }, LeagueRemark::RateLimited(_))
                    | (Bar::Bundled { .. }, LeagueRemark::Bundled(_))
                    | (Bar::HiddenThinking { .. }, LeagueRemark::Hidden(_))
                    | (Bar::NoTokenBasis { .. }, LeagueRemark::Uncounted(_))
            )
        })
    });
    Placing {
        index,
        target: facts.id.clone(),
        simulated: facts.simulated,
        rank: None,
        shade: None,
        value: if empty { None } else { value(quantity, logs, confidence) },
        times_best: None,
        p50,
        p95,
        success: clustered_share(&counts, confidence),
        rounds: levels.len(),
        requests: if panel.has_blocks() { entries().count() } else { panel.success(index).1 },
        days: days(panel, levels.iter().map(|(round, _)| *round)),
        bars,
        remarks,
    }
}

/// The geometric mean over rounds, with an interval from three rounds on. The rounds count as independent here: a day's ups and downs
/// belong to what the value is of, and no word hangs on it.
fn value(quantity: Quantity, logs: Vec<f64>, confidence: Confidence) -> Option<Estimate> {
    let n = logs.len();
    let mean = crate::stats::mean(&logs)?;
    let interval =
        Sample::new(logs).ok().filter(|_| ROUNDS_FOR_INTERVALS <= n).map(|logs| plain_paired(&logs, confidence).interval.map(f64::exp));
    let time = Estimate { point: Extended::Finite(mean.exp()), interval, n };
    Some(if quantity.is_rate() { inverse(time) } else { time })
}

/// The median and the slow end, as tables show them.
fn quantiles(panel: &Panel, target: usize, confidence: Confidence) -> [Option<Estimate>; 2] {
    if !panel.has_blocks() {
        return [None, None];
    }
    let rate = panel.quantity.is_rate();
    let mut values: Vec<(usize, Extended)> = Vec::new();
    for round in 0..panel.rounds.len() {
        for entry in panel.entries(target, round) {
            match entry {
                Entry::Good(time) => values.push((round, Extended::Finite(panel.quantity.shown(*time)))),
                Entry::Failed { .. } if !rate => values.push((round, Extended::Never)),
                _ => {}
            }
        }
    }
    let rounds = values.iter().map(|(round, _)| *round).collect::<BTreeSet<_>>().len();
    let data = Clustered::from_pairs(values, panel.rounds.len());
    let of = |p: f64, needs: usize| {
        let found = clustered_quantile_of(&data, p, confidence).filter(|_| needs <= data.n())?;
        let interval = Some(found.interval).filter(|_| ROUNDS_FOR_INTERVALS <= rounds);
        Some(Estimate { point: found.estimate, interval, n: data.n() })
    };
    [of(0.5, VALUES[0]), of(if rate { 0.05 } else { 0.95 }, VALUES[1])]
}

/// Friedman's test of the ranked ones' round values.
fn omnibus(panel: &Panel, ranked: &[Placing]) -> Option<Friedman> {
    let levels: Vec<Vec<(usize, f64)>> = ranked.iter().map(|standing| panel.levels(standing.index)).collect();
    let rounds = levels.first()?.len();
    let complete = levels.iter().all(|one| one.len() == rounds && one.iter().zip(&levels[0]).all(|(a, b)| a.0 == b.0));
    if !complete || levels.len() < 2 {
        return None;
    }
    let rows: Vec<Vec<f64>> = (0..rounds).map(|at| levels.iter().map(|one| one[at].1).collect()).collect();
    friedman(&rows).ok()
}

fn days(panel: &Panel, rounds: impl Iterator<Item = usize>) -> usize {
    let day = |round: usize| panel.rounds.get(round).map(|round| round.at.to_zoned(jiff::tz::TimeZone::UTC).date());
    rounds.filter_map(day).collect::<BTreeSet<_>>().len()
}
