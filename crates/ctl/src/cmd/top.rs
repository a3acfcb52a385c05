//! `top`: what nodes and pods use.

use std::collections::BTreeMap;
use std::process::ExitCode;

use nakhoda_api::kinds::Quantity;
use nakhoda_api::quantity;

use crate::{Context, Error};

actions! {
    node => Node,
    pod => Pod,
}

/// Show what nodes or pods use of processors and memory
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// By what lines are ordered, the greatest first; by name if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SortBy {
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
}

/// Amounts by resource.
pub type Amounts = BTreeMap<String, Quantity>;

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    args.action.run(context).await
}

// === impl SortBy ===

impl SortBy {
    /// What an amount is ordered by.
    #[must_use]
    pub fn key(by: Option<Self>, amounts: &Amounts) -> i128 {
        match by {
            None => 0,
            Some(Self::Cpu) => -amount(amounts, "cpu").nano(),
            Some(Self::Memory) => -amount(amounts, "memory").nano(),
        }
    }
}

/// The amount of a resource.
#[must_use]
pub fn amount(amounts: &Amounts, resource: &str) -> quantity::Quantity {
    amounts.get(resource).and_then(|amount| quantity::Quantity::parse(&amount.0).ok()).unwrap_or_default()
}

/// As kubectl prints it: thousandths of cores.
#[must_use]
pub fn cores(amounts: &Amounts) -> String {
    format!("{}m", amount(amounts, "cpu").milli())
}

/// As kubectl prints it: whole mebibytes.
#[must_use]
pub fn bytes(amounts: &Amounts) -> String {
    format!("{}Mi", amount(amounts, "memory").value() / (1024 * 1024))
}

/// The share of what there is.
#[must_use]
pub fn share(used: &Amounts, there: &Amounts, resource: &str) -> String {
    let (used, there) = (amount(used, resource).nano(), amount(there, resource).nano());
    format!("{}%", (used * 100).checked_div(there).unwrap_or(0))
}

/// A table on standard output; nothing for none.
pub fn print(heads: &[&str], rows: Vec<Vec<String>>, no_headers: bool) {
    if !rows.is_empty() {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        let text = crate::output::table::Rows { heads, rows }.text(no_headers);
        crate::say!("{}", text.trim_end_matches('\n'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_printed_as_kubectl_prints_them() {
        let amounts = |cpu: &str, memory: &str| -> Amounts {
            [("cpu", cpu), ("memory", memory)].map(|(name, text)| (name.to_owned(), Quantity(text.to_owned()))).into()
        };
        let (used, there) = (amounts("1500001n", "3100Ki"), amounts("2", "8Mi"));
        assert_eq!((cores(&used), bytes(&used)), ("2m".into(), "3Mi".into()));
        assert_eq!((share(&used, &there, "cpu"), share(&used, &there, "memory")), ("0%".into(), "37%".into()));
        assert_eq!(share(&used, &Amounts::new(), "cpu"), "0%");
        assert!(SortBy::key(Some(SortBy::Cpu), &there) < SortBy::key(Some(SortBy::Cpu), &used));
    }
}
