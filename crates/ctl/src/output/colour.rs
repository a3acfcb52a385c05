//! Colours of states, on a terminal that has them. `NO_COLOR` switches them off.

use std::io::IsTerminal;

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "31";

/// Whether standard output takes colours.
#[must_use]
pub fn enabled() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The cell of a column STATUS: green if well, red if not, yellow on the way.
#[must_use]
pub fn state(cell: &str) -> String {
    let colour = match cell {
        "Running" | "Ready" | "Active" | "Bound" | "Available" | "Completed" | "Succeeded" => GREEN,
        "Pending" | "ContainerCreating" | "PodInitializing" | "Terminating" | "Unknown" => YELLOW,
        cell if cell.starts_with("Ready,") || cell.starts_with("Init:") => YELLOW,
        // The last is the column's own head.
        "" | "<none>" | "<unknown>" | "STATUS" => return cell.to_owned(),
        _ => RED,
    };
    format!("\x1b[{colour}m{cell}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_colours() {
        assert_eq!(state("Running"), "\x1b[32mRunning\x1b[0m");
        assert_eq!(state("CrashLoopBackOff"), "\x1b[31mCrashLoopBackOff\x1b[0m");
        assert_eq!((state(""), state("STATUS")), ("".into(), "STATUS".into()));
    }
}
