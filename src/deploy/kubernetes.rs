//! A ConfigMap, a claim for the results and a CronJob for Kubernetes.

use super::clocks::{self, Odd};
use super::fields::Fields;
use super::{DeployError, Entry, EntryFile, quote};
use crate::record::zone;

const SCHEDULER: &str = "Kubernetes";
/// Where the plan and the files that it names stand in the container.
const PLANS: &str = "/etc/photofinish";
/// Where the claim stands in the container.
const RESULTS: &str = "/results";
/// Bytes of a ConfigMap at most, less a share for its own fields.
const LARGEST: usize = 1_000_000;
/// The controller looks every ten seconds; a shorter deadline would lose rounds.
const SHORTEST_DEADLINE_S: u64 = 10;
/// The user of the container, who is not root.
const USER: u32 = 65_532;

/// What the cluster's entry has beside the others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The image that holds the program.
    pub image: String,
    /// The program in the image.
    pub program: String,
    /// The size of the claim for the results, such as `5Gi`.
    pub storage: String,
    /// The plan and the files that it names, the plan first.
    pub files: Vec<PlanFileText>,
}

/// A file of the plan's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFileText {
    /// Its path from the plan's folder, without `..`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The manifests of an entry, in one file.
pub fn kubernetes(entry: &Entry, cluster: &Cluster) -> Result<EntryFile, DeployError> {
    entry.check()?;
    zone(&entry.calendar.zone)?;
    let length = cluster.files.iter().map(|file| file.text.len()).sum();
    if LARGEST < length {
        return Err(DeployError::Large { length, most: LARGEST });
    }
    let name = &entry.name;
    let text = format!(
        "\
# photofinish: rounds of the plan `{title}`: {calendar}.
# kubectl apply -f {name}.k8s.yaml
{secret}{config}---
{claim}---
{job}",
        title = entry.title,
        calendar = entry.shown(),
        secret = secret(entry),
        config = config_map(entry, cluster),
        claim = claim(entry, cluster),
        job = cron_job(entry, cluster)?,
    );
    Ok(EntryFile { name: format!("{name}.k8s.yaml"), belongs: format!("kubectl apply -f {name}.k8s.yaml"), text })
}

fn secret(entry: &Entry) -> String {
    match entry.keys.is_empty() {
        true => String::new(),
        false => format!(
            "# Keys come from a Secret that you make once, from a file with lines NAME=value:\n\
             #   kubectl create secret generic {}-keys --from-env-file=keys.env\n",
            entry.name
        ),
    }
}

fn config_map(entry: &Entry, cluster: &Cluster) -> String {
    let data = cluster.files.iter().enumerate().map(|(at, file)| format!("  {}: {}\n", key(at), quote::yaml_block(&file.text, 4)));
    format!(
        "\
apiVersion: v1
kind: ConfigMap
metadata:
{}data:
{}",
        metadata(entry, ""),
        data.collect::<String>()
    )
}

/// The name of a file's entry in the ConfigMap, which takes no slashes and no Chinese.
fn key(at: usize) -> String {
    match at {
        0 => "plan".to_owned(),
        at => format!("file-{at}"),
    }
}

fn metadata(entry: &Entry, suffix: &str) -> String {
    let name = &entry.name;
    format!("  name: {name}{suffix}\n  labels:\n    app.kubernetes.io/name: photofinish\n    app.kubernetes.io/instance: {name}\n")
}

fn claim(entry: &Entry, cluster: &Cluster) -> String {
    format!(
        "\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
{}spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests:
      storage: {}
",
        metadata(entry, "-results"),
        quote::yaml(&cluster.storage)
    )
}

fn cron_job(entry: &Entry, cluster: &Cluster) -> Result<String, DeployError> {
    let calendar = &entry.calendar;
    let fields = Fields::of(&calendar.cron, SCHEDULER)?;
    let schedule = fields.plain(&calendar.cron, SCHEDULER)?;
    let odd = clocks::odd(calendar, &fields, clocks::end(calendar, entry.rounds)?)?;
    let skipped = match odd.iter().any(|(_, odd)| *odd == Odd::Moved) {
        true => {
            "  # Times that the zone's clock leaves out when it changes are none for Kubernetes: their rounds are recorded as missed.\n"
        }
        false => "",
    };
    let plan = cluster.files.first().map_or("plan.yaml", |file| file.path.as_str());
    let own = Entry { program: cluster.program.clone(), plan: format!("{PLANS}/{plan}"), results: RESULTS.to_owned(), ..entry.clone() };
    let command: Vec<String> = own.command(None).iter().map(|word| quote::yaml(word)).collect();
    let items = cluster
        .files
        .iter()
        .enumerate()
        .map(|(at, file)| format!("                  - {{key: {}, path: {}}}\n", key(at), quote::yaml(&file.path)));
    Ok(format!(
        "\
apiVersion: batch/v1
kind: CronJob
metadata:
{metadata}spec:
{skipped}  schedule: {schedule}
  timeZone: {zone}
  # A round that overruns never meets the next one.
  concurrencyPolicy: Forbid
  # Later than this a round is missed; it is recorded as missed, not made up.
  startingDeadlineSeconds: {deadline}
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # No hidden retry.
      backoffLimit: 0
      template:
        metadata:
          labels:
            app.kubernetes.io/name: photofinish
            app.kubernetes.io/instance: {name}
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          # A stop waits for the requests in flight.
          terminationGracePeriodSeconds: {grace}
          securityContext:
            runAsNonRoot: true
            runAsUser: {USER}
            runAsGroup: {USER}
            fsGroup: {USER}
            seccompProfile:
              type: RuntimeDefault
          containers:
            - name: photofinish
              image: {image}
              command: [{command}]
{env}              resources:
                # No limit of CPU: a throttled process reads its streams late.
                requests:
                  cpu: 500m
                  memory: 256Mi
              securityContext:
                allowPrivilegeEscalation: false
                readOnlyRootFilesystem: true
                capabilities:
                  drop: [ALL]
              volumeMounts:
                - name: plan
                  mountPath: {PLANS}
                  readOnly: true
                - name: results
                  mountPath: {RESULTS}
          volumes:
            - name: plan
              configMap:
                name: {name}
                items:
{items}            - name: results
              persistentVolumeClaim:
                claimName: {name}-results
",
        metadata = metadata(entry, ""),
        name = entry.name,
        schedule = quote::yaml(&schedule),
        zone = quote::yaml(&calendar.zone),
        deadline = calendar.late_s.max(SHORTEST_DEADLINE_S),
        grace = entry.grace_s(),
        image = quote::yaml(&cluster.image),
        command = command.join(", "),
        env = environment(entry),
        items = items.collect::<String>(),
    ))
}

fn environment(entry: &Entry) -> String {
    if entry.keys.is_empty() {
        return String::new();
    }
    let variable = |key: &super::KeyVariable| {
        let (name, secret) = (quote::yaml(&key.name), format!("{}-keys", entry.name));
        let optional = if key.optional { ", optional: true" } else { "" };
        format!(
            "                - name: {name}\n                  valueFrom:\n                    secretKeyRef: {{name: {secret}, key: {name}{optional}}}\n"
        )
    };
    format!("              env:\n{}", entry.keys.iter().map(variable).collect::<String>())
}
