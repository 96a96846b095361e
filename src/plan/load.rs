//! The design of a load run: what was typed -> stages, passes, rules -> cells in order, and what each cell asks. A function of seed and
//! salt alone.

use super::arrivals::Arrivals;
use super::design::{Schedule, hex, nonce, random, shuffle};
use super::source::PlanError;
use crate::ident::TrialId;
use crate::record::{Condition, LoadDesign, Looked, Manifest, Offered, Over, Spread, StageOrder, TimeOf, Until, conditions};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A load as it was typed; what is left out has its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadWish {
    /// Stages of so many users.
    pub stages: Vec<u32>,
    /// Stages of so many arrivals a second.
    pub rates: Vec<f64>,
    /// How arrivals are spread.
    pub spread: Option<Spread>,
    /// Requests a stage, of all users together.
    pub requests: Option<u64>,
    /// How long a stage sends, milliseconds.
    pub lasting_ms: Option<u64>,
    /// Passes.
    pub passes: Option<u32>,
    /// In which order a pass runs the stages.
    pub order: Option<StageOrder>,
    /// Rest after each stage, milliseconds.
    pub rest_ms: Option<u64>,
    /// A connection for each request.
    pub cold: bool,
    /// Requests in flight at most, in an open loop.
    pub max_in_flight: Option<u32>,
    /// The service level.
    pub slo: Option<String>,
    /// When no higher stage of a target is begun.
    pub stop_when: Option<String>,
}

/// The users of a stage where nothing was typed: those of the tool that this one was asked for.
const STAGES: [u32; 5] = [1, 50, 100, 200, 300];
/// Requests a user and in all where nothing was typed: a p95 needs twenty, and five turns of each user let the stage settle.
const ENOUGH: Until = Until::PerUser { each: 5, at_least: 20 };
/// How long arrivals come where nothing was typed, milliseconds.
const ARRIVING_MS: u64 = 60_000;
/// Rest after a stage where nothing was typed, milliseconds.
const REST_MS: u64 = 10_000;
const PASSES: u32 = 3;
const MAX_IN_FLIGHT: u32 = 1000;

impl LoadWish {
    /// Checks what was typed and fills in the defaults.
    pub fn design(&self) -> Result<LoadDesign, PlanError> {
        let (passes, until) = (self.passes.unwrap_or(PASSES), self.until()?);
        if passes == 0 {
            return Err(fault("--passes", "0 passes measure nothing; give at least 1, and 3 for an interval"));
        }
        if let Some(text) = &self.slo {
            conditions(text).map_err(|error| fault("--slo", error.to_string()))?;
        }
        let stop_when = self.stop_when.as_deref().map(conditions_to_stop).transpose()?;
        let order = match (self.order, &stop_when) {
            (Some(StageOrder::Shuffled), Some(_)) => {
                return Err(fault("--stop-when", "needs --order ascending: in another order a higher stage would have run before"));
            }
            (Some(order), _) => order,
            (None, Some(_)) => StageOrder::Ascending,
            (None, None) => StageOrder::Shuffled,
        };
        let open = !self.rates.is_empty();
        Ok(LoadDesign {
            stages: self.offered(&until)?,
            passes,
            until,
            order,
            rest_ms: self.rest_ms.unwrap_or(REST_MS),
            cold: self.cold,
            max_in_flight: open.then(|| self.max_in_flight.unwrap_or(MAX_IN_FLIGHT)),
            slo: self.slo.clone(),
            stop_when: self.stop_when.clone(),
        })
    }

    fn until(&self) -> Result<Until, PlanError> {
        match (self.requests, self.lasting_ms) {
            (Some(0), _) => Err(fault("--requests", "0 requests measure nothing; give at least as many as users")),
            (_, Some(0)) => Err(fault("--duration", "a stage of no time measures nothing; 60s is usual")),
            (Some(_), Some(_)) => Err(fault("--requests", "a stage ends by --requests or by --duration; give one of them")),
            (Some(requests), None) => Ok(Until::Requests { requests }),
            (None, Some(ms)) => Ok(Until::Lasting { ms }),
            (None, None) if self.rates.is_empty() => Ok(ENOUGH),
            (None, None) => Ok(Until::Lasting { ms: ARRIVING_MS }),
        }
    }

    /// The stages, from the lightest to the heaviest.
    fn offered(&self, until: &Until) -> Result<Vec<Offered>, PlanError> {
        if !self.stages.is_empty() && !self.rates.is_empty() {
            return Err(fault("--rate", "stages are users (--stages) or arrivals (--rate); give one of them, and run the other apart"));
        }
        if self.rates.is_empty() {
            if self.spread.is_some() {
                return Err(fault("--arrivals", "only arrivals are spread: give --rate R with it"));
            }
            return self.users(until);
        }
        if self.max_in_flight == Some(0) {
            return Err(fault("--max-in-flight", "0 would let nothing be sent; give at least 1"));
        }
        if self.rates.iter().any(|rate| !(rate.is_finite() && 0.0 < *rate)) {
            return Err(fault("--rate", "a rate is a number of arrivals a second above 0"));
        }
        if matches!(self.spread, Some(Spread::Gamma { shape }) if !(shape.is_finite() && 0.0 < shape)) {
            return Err(fault("--arrivals", "the shape of gamma is a number above 0; gamma:0.5 is burstier than Poisson"));
        }
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        if let Some(twice) = rates.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(fault("--rate", format!("{} stands twice; --passes repeats stages", twice[0])));
        }
        let spread = self.spread.unwrap_or(Spread::Poisson);
        Ok(rates.into_iter().map(|per_s| Offered::Arrivals { per_s, spread }).collect())
    }

    fn users(&self, until: &Until) -> Result<Vec<Offered>, PlanError> {
        let mut stages = if self.stages.is_empty() { STAGES.to_vec() } else { self.stages.clone() };
        stages.sort_unstable();
        if stages[0] == 0 {
            return Err(fault("--stages", "a stage of 0 users asks nothing; give at least 1"));
        }
        if let Some(twice) = stages.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(fault("--stages", format!("{} stands twice; --passes repeats stages", twice[0])));
        }
        if let Until::Requests { requests } = until
            && let Some(users) = stages.iter().find(|users| *requests < u64::from(**users))
        {
            return Err(fault(
                "--requests",
                format!(
                    "{requests} requests leave some of {users} users with nothing to ask; give at least {users}, five times as many are usual"
                ),
            ));
        }
        Ok(stages.into_iter().map(|users| Offered::Users { users }).collect())
    }
}

fn fault(flag: &str, message: impl Into<String>) -> PlanError {
    PlanError::at(None, flag, message)
}

/// The conditions to stop that a runner can decide from what it sees: shares, and quantiles or means of times.
pub fn conditions_to_stop(text: &str) -> Result<Vec<Condition>, PlanError> {
    let all = conditions(text).map_err(|error| fault("--stop-when", error.to_string()))?;
    for condition in &all {
        let why = match condition.of {
            Looked::Time(TimeOf::Tpot, _) | Looked::Rps | Looked::Goodput => "is known only when the run is read",
            Looked::Time(_, Over::Each) => "speaks of each request; name a quantile or a mean, such as ttft_p95",
            _ => continue,
        };
        return Err(fault(
            "--stop-when",
            format!(
                "`{condition}` {why}; known here are ttft, ttfa and latency with _p50, _p95, _p99 or _mean, success, failures and rate_limited"
            ),
        ));
    }
    Ok(all)
}

/// The order of a load run and what its cells ask, made from the manifest alone.
#[derive(Debug, Clone)]
pub struct LoadSchedule {
    schedule: Schedule,
    design: LoadDesign,
}

/// One stage of one pass on one target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadCell {
    /// The pass, from 1.
    pub pass: u32,
    /// The stage by its place in the design, from 1.
    pub stage: u32,
    /// The target by its place in the manifest, from 0.
    pub target: usize,
    /// The target's turn within this stage and pass, from 1.
    pub place: u32,
    /// The load.
    pub offered: Offered,
}

/// What a cell asks next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadAsk {
    /// The request's number in its cell, from 1.
    pub number: u32,
    /// The trial's id, unique in the run.
    pub id: TrialId,
    /// The prompt by its place in the manifest.
    pub prompt: usize,
    /// What stands before the prompt, so that no two requests of a run begin alike; empty where caches may be met.
    pub nonce: String,
}

impl LoadSchedule {
    /// The schedule of a load run; none of another run.
    pub fn of(manifest: &Manifest) -> Option<LoadSchedule> {
        let design = manifest.load.clone()?;
        Some(LoadSchedule { schedule: Schedule::of(manifest).ok()?, design })
    }

    /// The design.
    pub fn design(&self) -> &LoadDesign {
        &self.design
    }

    /// All cells in order: passes, in each the stages, in each the targets. Over the passes each target has each turn of a stage equally
    /// often, as far as the number of passes allows.
    pub fn cells(&self) -> Vec<LoadCell> {
        let mut cells = Vec::new();
        for pass in 1..=self.design.passes {
            for stage in self.stages(pass) {
                let row = stage * self.design.passes as usize + pass as usize - 1;
                let turn = |(turn, target): (usize, usize)| LoadCell {
                    pass,
                    stage: stage as u32 + 1,
                    target,
                    place: turn as u32 + 1,
                    offered: self.design.stages[stage],
                };
                cells.extend(self.schedule.order(row).into_iter().enumerate().map(turn));
            }
        }
        cells
    }

    fn stages(&self, pass: u32) -> Vec<usize> {
        let mut stages: Vec<usize> = (0..self.design.stages.len()).collect();
        if self.design.order == StageOrder::Shuffled {
            shuffle(&mut stages, &mut self.random(&["stages", &pass.to_string()]));
        }
        stages
    }

    /// What a cell asks, without end: the prompts as a pack of cards that is shuffled anew when it is used up, in the same order for every
    /// target of a stage and pass. Nonces differ between targets too: two of them may share a cache.
    pub fn asks(&self, cell: &LoadCell, cache_defeat: bool) -> impl Iterator<Item = LoadAsk> + Send + use<> {
        let (pass, stage) = (cell.pass.to_string(), cell.stage.to_string());
        let target = self.schedule.targets.get(cell.target).map_or("", |target| target.as_str()).to_owned();
        let mut prompts = self.random(&["prompts", &pass, &stage]);
        let mut nonces = self.random(&["nonces", &pass, &stage, &target]);
        let digest = Sha256::new_with_prefix([&self.schedule.digest, &self.schedule.salt, "load", &pass, &stage, &target].join("\0"));
        let cards = self.schedule.prompts.len();
        let mut pack: Vec<usize> = Vec::new();
        (1..=u32::MAX).map(move |number| {
            if pack.is_empty() {
                pack = (0..cards).collect();
                shuffle(&mut pack, &mut prompts);
            }
            let id = digest.clone().chain_update(number.to_be_bytes()).finalize();
            LoadAsk {
                number,
                id: TrialId::new(hex(&id[..12])).expect("hexadecimal is a name"),
                prompt: pack.pop().unwrap_or(0),
                nonce: if cache_defeat { nonce(&mut nonces) } else { String::new() },
            }
        })
    }

    /// When requests of a cell arrive, the same for every target of a stage and pass; none in a closed loop.
    pub fn arrivals(&self, cell: &LoadCell) -> Option<Arrivals> {
        let Offered::Arrivals { per_s, spread } = cell.offered else { return None };
        Some(Arrivals::new(per_s, spread, self.random(&["arrivals", &cell.pass.to_string(), &cell.stage.to_string()])))
    }

    fn random(&self, purpose: &[&str]) -> ChaCha8Rng {
        let seed = self.schedule.seed.to_string();
        random(&[&[seed.as_str(), &self.schedule.salt, "load"], purpose].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wish: LoadWish) -> String {
        wish.design().unwrap_err().to_string()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let design = LoadWish::default().design().unwrap();
        assert_eq!(design.stages.iter().map(Offered::size).collect::<Vec<_>>(), [1.0, 50.0, 100.0, 200.0, 300.0]);
        assert_eq!((design.passes, design.rest_ms, design.order, design.max_in_flight), (3, 10_000, StageOrder::Shuffled, None));
        assert_eq!(design.stages.iter().map(|stage| design.until.requests(stage).unwrap()).collect::<Vec<_>>(), [20, 250, 500, 1000, 1500]);
        let open = LoadWish { rates: vec![5.0, 2.0], ..LoadWish::default() }.design().unwrap();
        assert_eq!(open.stages[0], Offered::Arrivals { per_s: 2.0, spread: Spread::Poisson });
        assert_eq!((open.until, open.max_in_flight), (Until::Lasting { ms: 60_000 }, Some(1000)));
        let halted = LoadWish { stop_when: Some("failures>5%".into()), ..LoadWish::default() }.design().unwrap();
        assert_eq!(halted.order, StageOrder::Ascending);
    }

    #[test]
    fn faults_name_the_flag_and_the_remedy() {
        let wish = LoadWish::default;
        assert!(told(LoadWish { stages: vec![0], ..wish() }).starts_with("--stages: a stage of 0 users"));
        assert!(told(LoadWish { stages: vec![5, 5], ..wish() }).contains("5 stands twice"));
        assert!(told(LoadWish { stages: vec![50], requests: Some(10), ..wish() }).contains("give at least 50"));
        assert!(told(LoadWish { rates: vec![f64::NAN], ..wish() }).starts_with("--rate:"));
        assert!(told(LoadWish { spread: Some(Spread::Constant), ..wish() }).contains("--rate R"));
        assert!(told(LoadWish { stop_when: Some("rps<2".into()), ..wish() }).contains("known only when the run is read"));
        assert!(told(LoadWish { stop_when: Some("ttft>2s".into()), ..wish() }).contains("ttft_p95"));
        let shuffled = LoadWish { order: Some(StageOrder::Shuffled), stop_when: Some("failures>5%".into()), ..wish() };
        assert!(told(shuffled).contains("--order ascending"));
    }
}
