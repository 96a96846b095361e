//! A service and its timer for systemd.

use super::{DeployError, Entry, EntryFile, on_calendar, quote};

/// Folders that `PrivateTmp=` would hide.
const TEMPORARY: [&str; 2] = ["/tmp/", "/var/tmp/"];

/// The two units of an entry.
pub fn systemd(entry: &Entry) -> Result<Vec<EntryFile>, DeployError> {
    entry.check()?;
    let belongs = |ending: &str| format!("/etc/systemd/system/{}.{ending}", entry.name);
    Ok(vec![
        EntryFile { name: format!("{}.service", entry.name), belongs: belongs("service"), text: service(entry)? },
        EntryFile { name: format!("{}.timer", entry.name), belongs: belongs("timer"), text: timer(entry)? },
    ])
}

fn service(entry: &Entry) -> Result<String, DeployError> {
    let command = entry.command(None);
    let arguments: Vec<String> = command[1..].iter().map(|word| quote::argument(word)).collect();
    let command = format!("{} {}", quote::program(&entry.program)?, arguments.join(" "));
    let hidden =
        [&entry.program, &entry.plan, &entry.results].into_iter().any(|path| TEMPORARY.iter().any(|folder| path.starts_with(folder)));
    let private_tmp = match hidden {
        true => "# PrivateTmp=yes would hide the plan, the results or the program, which stand in a temporary folder.",
        false => "PrivateTmp=yes",
    };
    let (results, user, grace) = (quote::path(&entry.results), entry.user.replace('%', "%%"), entry.grace_s());
    Ok(format!(
        "\
# One round of the plan `{title}`, if one is due; {name}.timer says when.
# The results folder must be there and belong to {user}: install -d -o {user} {shown}
[Unit]
Description=photofinish: one round of {description}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
{keys}ExecStart={command}
# A stop waits for the requests in flight, and leaves with one of these codes when all is saved.
TimeoutStopSec={grace}
SuccessExitStatus=130 143

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={results}
{private_tmp}
PrivateDevices=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
",
        title = entry.title,
        name = entry.name,
        description = entry.title.replace('%', "%%").trim_end_matches('\\'),
        shown = quote::shell(&entry.results),
        keys = keys(entry)?,
    ))
}

fn keys(entry: &Entry) -> Result<String, DeployError> {
    let Some(file) = &entry.env_file else { return Ok(String::new()) };
    let credentials =
        entry.keys.iter().map(|key| format!("# LoadCredential={name}:/etc/photofinish/credentials/{name}\n", name = key.name));
    Ok(format!(
        "\
# Keys: lines NAME=value{names}. The file belongs to root and has mode 0600; systemd reads it.
EnvironmentFile={file}
# Or a file for each key, which no environment shows; photofinish finds it in $CREDENTIALS_DIRECTORY under the variable's name:
{credentials}",
        names = entry.names(),
        file = quote::rest_of_line(file)?,
        credentials = credentials.collect::<String>(),
    ))
}

fn timer(entry: &Entry) -> Result<String, DeployError> {
    let lines = on_calendar::of_entry(entry)?;
    let recurring = lines.iter().take_while(|line| !line.ends_with(" UTC") || entry.calendar.zone == "UTC").count();
    let shown = |lines: &[String]| lines.iter().map(|line| format!("OnCalendar={line}\n")).collect::<String>();
    let moments = match &lines[recurring..] {
        [] => String::new(),
        moments => {
            let why = "# When the clock changes: moments that systemd would leave out in this zone. Beyond them, write the timer anew.\n";
            format!("{why}{}", shown(moments))
        }
    };
    Ok(format!(
        "\
# Rounds of the plan `{title}`: {calendar}.
[Unit]
Description=photofinish: the rounds of {description}

[Timer]
{recurring}{moments}# A round that was missed is recorded as missed, not made up.
Persistent=false
# photofinish draws the moment itself, from the plan's seed.
AccuracySec=1s
RandomizedDelaySec=0

[Install]
WantedBy=timers.target
",
        title = entry.title,
        calendar = entry.shown(),
        description = entry.title.replace('%', "%%").trim_end_matches('\\'),
        recurring = shown(&lines[..recurring]),
    ))
}
