//! Whether targets that should serve one model behave like one: seeded replies of many rounds, with one fault planted at a time.

mod panels;

use panels::{Story, good, panel};
use photofinish::analysis::{
    Came, GradedAnswers, ModelCheck, ModelDifference, ModelFacts, ModelVerdict, NotChecked, Panel, Quantity, check_models,
};
use photofinish::ident::TargetId;
use photofinish::record::{Graded, Thinking};
use photofinish::stats::Confidence;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const ROUNDS: usize = 12;
const PROMPTS: usize = 10;

/// A target: how able it is by prompt, and how long its replies are, times their usual length.
struct Model {
    family: Option<&'static str>,
    able: fn(usize) -> f64,
    length: f64,
}

const R1: Model = Model { family: Some("r1"), able: |prompt| 0.95 - 0.03 * prompt as f64, length: 1.0 };

struct Draws(ChaCha8Rng);

impl Draws {
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
    fn bell(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

fn replies(models: &[Model], seed: u64) -> (Vec<ModelFacts>, GradedAnswers) {
    let mut draws = Draws(ChaCha8Rng::seed_from_u64(seed));
    let (mut facts, mut came) = (Vec::new(), Vec::new());
    for (i, model) in models.iter().enumerate() {
        let mut length = |prompt: usize| Some(200.0 * (prompt + 1) as f64 * model.length * (0.3 * draws.bell()).exp());
        let lengths = (0..ROUNDS).map(|_| (0..PROMPTS).map(&mut length).collect()).collect();
        facts.push(ModelFacts {
            id: TargetId::new(format!("t{i}")).unwrap(),
            family: model.family.map(str::to_owned),
            thinking: Thinking::Default,
            answered_as: vec!["r1".into()],
            fingerprints: vec![],
            counts_differ: None,
            lengths,
        });
        for _ in 0..ROUNDS {
            let grade = |prompt: usize| if draws.unit() < (model.able)(prompt) { Graded::Correct } else { Graded::Wrong };
            came.extend((0..PROMPTS).map(grade).map(Came::Complete));
        }
    }
    (facts, GradedAnswers::new(times(models), came).unwrap())
}

fn times(models: &[Model]) -> Panel {
    let story = |id| Story::of(id, ROUNDS, PROMPTS, |_, _| good(1e3));
    panel(Quantity::E2e, &["t0", "t1", "t2", "t3"].map(story)[..models.len()])
}

fn check(models: &[Model], seed: u64) -> Vec<ModelCheck> {
    let (facts, graded) = replies(models, seed);
    check_models(&facts, Some(&graded), Confidence::DEFAULT)
}

fn differ(checks: &[ModelCheck]) -> Vec<usize> {
    (0..checks.len()).filter(|i| !checks[*i].verdict.found().is_empty()).collect()
}

#[test]
fn targets_of_one_model_are_rarely_told_apart() {
    let false_alarms = (0..200).filter(|seed| !differ(&check(&[R1, R1, R1, R1], *seed)).is_empty()).count();
    // Two families of tests at 5 % each, held back by the floors.
    assert!(false_alarms <= 10, "{false_alarms} of 200");
}

#[test]
fn a_worse_model_is_found_and_the_others_stay_consistent() {
    let poor = Model { able: |prompt| 0.6 - 0.03 * prompt as f64, ..R1 };
    let checks = check(&[R1, R1, poor, R1], 7);
    assert_eq!(differ(&checks), [2]);
    let [ModelDifference::Accuracy { own, others, p }] = checks[2].verdict.found() else { panic!("{:?}", checks[2]) };
    assert!(own + 0.2 < *others && *p < 0.001);
    assert!(checks[0].verdict == ModelVerdict::Consistent && checks[0].accuracy.unwrap().n == ROUNDS * PROMPTS);
}

#[test]
fn a_target_that_says_half_as_much_does_not_make_the_others_look_odd() {
    let checks = check(&[R1, Model { length: 0.5, ..R1 }, R1], 3);
    assert_eq!(differ(&checks), [1]);
    let [ModelDifference::Length { ratio, .. }] = checks[1].verdict.found() else { panic!("{:?}", checks[1]) };
    assert!((0.45..0.56).contains(ratio), "{ratio}");
    assert!((checks[0].length.unwrap().ratio - 1.0).abs() < 0.1);
}

#[test]
fn of_two_it_cannot_be_said_which_is_the_odd_one() {
    let checks = check(&[R1, Model { length: 0.5, ..R1 }], 3);
    assert_eq!(differ(&checks), [0, 1]);
    assert!(checks.iter().all(|check| matches!(check.verdict, ModelVerdict::Differs { one_of_two: true, .. })));
}

#[test]
fn a_difference_too_small_to_matter_and_a_single_borderline_prompt_do_not_count() {
    // Always right here and always wrong there, on one prompt: twelve blocks of one sort, and no other model.
    let (a, b) = (Model { able: |_| 1.0, ..R1 }, Model { able: |prompt| f64::from(u8::from(prompt != 4)), ..R1 });
    let checks = check(&[a, b], 5);
    let accuracy = checks[0].accuracy.unwrap();
    assert!(accuracy.p_holm < 0.01 && differ(&checks).is_empty(), "{accuracy:?}");
    let longer = check(&[R1, Model { length: 1.06, ..R1 }, R1, R1], 11);
    assert!(differ(&longer).is_empty(), "{:?}", longer[1]);
}

#[test]
fn a_name_that_changes_within_the_run_is_a_difference_and_a_fingerprint_is_told() {
    let (mut facts, graded) = replies(&[R1, R1], 1);
    facts[0].answered_as = vec!["r1".into(), "r1-distill".into()];
    facts[1].fingerprints = vec!["fp_1".into(), "fp_2".into()];
    facts[1].counts_differ = Some((1.4, 1.0));
    let checks = check_models(&facts, Some(&graded), Confidence::DEFAULT);
    assert_eq!(checks[0].verdict.found(), [ModelDifference::Renamed { names: vec!["r1".into(), "r1-distill".into()] }]);
    assert_eq!(checks[1].verdict.found(), [ModelDifference::Counts { own: 1.4, others: 1.0 }]);
    assert_eq!(checks[1].fingerprints.len(), 2);
}

#[test]
fn what_cannot_be_held_against_anything_is_not_checked() {
    let why = |checks: &[ModelCheck], i: usize| match checks[i].verdict {
        ModelVerdict::NotChecked { why } => Some(why),
        _ => None,
    };
    let checks = check(&[R1, Model { family: None, ..R1 }, Model { family: Some("llama"), ..R1 }], 1);
    assert_eq!((why(&checks, 1), why(&checks, 2)), (Some(NotChecked::NoFamily), Some(NotChecked::NoOther)));
    assert_eq!(why(&checks, 0), Some(NotChecked::NoOther));
    let (mut facts, _) = replies(&[R1, R1], 1);
    facts.iter_mut().for_each(|facts| facts.lengths.truncate(5));
    assert_eq!(why(&check_models(&facts, None, Confidence::DEFAULT), 0), Some(NotChecked::TooFew));
    // Thinking switched off in one of two is another thing, not another model.
    let (mut facts, graded) = replies(&[R1, Model { length: 0.2, ..R1 }], 1);
    facts[1].thinking = Thinking::Off;
    assert_eq!(why(&check_models(&facts, Some(&graded), Confidence::DEFAULT), 1), Some(NotChecked::NoOther));
}
