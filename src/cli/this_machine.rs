//! What is known of the machine and of how a process runs on it. Read from /proc and /sys; where they do not tell, it is not known.

use crate::record::{Machine, Scheduling};
use sha2::{Digest, Sha256};

/// The facts by which one machine's calibration is told from another's.
pub fn machine() -> Machine {
    let info = read("/proc/cpuinfo");
    let kernel = read("/proc/sys/kernel/osrelease");
    let guest = info.lines().any(|line| line.starts_with("flags") && line.split_whitespace().any(|flag| flag == "hypervisor"));
    let maker = some(&read("/sys/class/dmi/id/sys_vendor"));
    let mut machine = Machine {
        cpu: info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':')).and_then(|(_, name)| some(name)),
        processors: some(&read("/sys/devices/system/cpu/online")),
        os: format!("{} {}", std::env::consts::OS, kernel.trim()).trim().into(),
        arch: std::env::consts::ARCH.into(),
        hypervisor: guest.then(|| maker.unwrap_or_else(|| "unnamed".into())),
        digest: String::new(),
    };
    let of = |fact: &Option<String>| fact.clone().unwrap_or_default();
    let facts = [&of(&machine.cpu), &of(&machine.processors), &machine.os, &machine.arch, &of(&machine.hypervisor)];
    let digest = Sha256::digest(facts.map(String::as_str).join("\n"));
    machine.digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    machine
}

/// How a process is scheduled; this one's measuring thread without a number.
pub fn scheduling(process: Option<u32>) -> Scheduling {
    let process = process.map_or_else(|| "thread-self".to_owned(), |id| id.to_string());
    scheduling_of(&read(&format!("/proc/{process}/stat")), &read(&format!("/proc/{process}/status")))
}

fn scheduling_of(stat: &str, status: &str) -> Scheduling {
    // The second field is the command's name in brackets and may hold blanks; the third is the first behind it.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().collect());
    let field = |number: usize| fields.get(number - 3)?.parse::<u32>().ok();
    let policies = ["other", "fifo", "rr", "batch", "", "idle", "deadline"];
    let policy = field(41).and_then(|policy| policies.get(policy as usize)).filter(|name| !name.is_empty());
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Scheduling {
        policy: policy.map(|name| (*name).to_owned()),
        priority: field(40).filter(|priority| 0 < *priority),
        processors: allowed.and_then(some),
    }
}

/// The load average of the last minute.
pub fn load_average() -> Option<f64> {
    read("/proc/loadavg").split_whitespace().next()?.parse().ok()
}

/// Processor time of the calling thread so far, nanoseconds.
pub fn thread_cpu_ns() -> Option<u64> {
    read("/proc/thread-self/schedstat").split_whitespace().next()?.parse().ok()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_and_priority_stand_behind_a_name_with_blanks_and_brackets() {
        let stat = format!("7 (photo) finish) S {} 20 2 0", ["0"; 36].join(" "));
        let told = scheduling_of(&stat, "Name:\tx\nCpus_allowed_list:\t0-1\n");
        assert_eq!(told, Scheduling { policy: Some("rr".into()), priority: Some(20), processors: Some("0-1".into()) });
        assert_eq!(scheduling_of("", ""), Scheduling::default());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_is_told_and_always_alike() {
        assert_eq!(machine(), machine());
        assert_eq!(machine().digest.len(), 64);
        assert!(scheduling(None).policy.is_some() && thread_cpu_ns().is_some() && load_average().is_some());
    }
}
