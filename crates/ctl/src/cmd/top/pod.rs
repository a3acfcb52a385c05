//! `top pod`.

use std::process::ExitCode;

use nakhoda_api::kinds::Quantity;
use nakhoda_api::kinds::metrics::PodMetrics;
use nakhoda_client::{Resource, Selection};

use super::{Amounts, SortBy, amount, bytes, cores, print};
use crate::{Context, Error};

/// Show what pods use
#[derive(Debug, clap::Args)]
#[command(visible_aliases = ["pods", "po"])]
pub struct Args {
    /// The pod; default: all
    name: Option<String>,
    /// Each container by itself
    #[arg(long)]
    containers: bool,
    /// In all namespaces
    #[arg(long, short = 'A')]
    all_namespaces: bool,
    /// Only pods with these labels
    #[arg(long, short = 'l', default_value = "", hide_default_value = true, conflicts_with = "name")]
    selector: String,
    /// Only pods with these fields
    #[arg(long, default_value = "", hide_default_value = true, conflicts_with = "name")]
    field_selector: String,
    /// cpu or memory
    #[arg(long)]
    sort_by: Option<SortBy>,
    /// No head line
    #[arg(long)]
    no_headers: bool,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<ExitCode, Error> {
    let client = context.client()?;
    let namespace = context.namespace()?;
    let selection = Selection { labels: args.selector.clone(), fields: args.field_selector.clone() };
    let mut pods = match &args.name {
        Some(name) => vec![client.namespaced::<PodMetrics>(&namespace).get(name).await?],
        None if args.all_namespaces => client.all::<PodMetrics>().list(&selection).await?.items,
        None => client.namespaced::<PodMetrics>(&namespace).list(&selection).await?.items,
    };
    if pods.is_empty() {
        let place = if args.all_namespaces { String::new() } else { format!(" in {namespace} namespace.") };
        eprintln!("No resources found{place}");
    }
    let place = |pod: &PodMetrics| args.all_namespaces.then(|| pod.namespace().to_owned());
    pods.sort_by_key(|pod| (SortBy::key(args.sort_by, &sum(pod)), place(pod), pod.name().to_owned()));
    let mut heads = vec!["NAME", "CPU(cores)", "MEMORY(bytes)"];
    let mut rows = Vec::new();
    for mut pod in pods {
        let before = place(&pod);
        if args.containers {
            pod.containers.sort_by_key(|one| (SortBy::key(args.sort_by, &one.usage), one.name.clone()));
            for one in &pod.containers {
                let name = vec![pod.name().to_owned(), one.name.clone()];
                rows.push(row(before.clone(), name, &one.usage));
            }
        } else {
            rows.push(row(before, vec![pod.name().to_owned()], &sum(&pod)));
        }
    }
    if args.containers {
        heads.insert(0, "POD");
    }
    if args.all_namespaces {
        heads.insert(0, "NAMESPACE");
    }
    print(&heads, rows, args.no_headers);
    Ok(ExitCode::SUCCESS)
}

fn row(namespace: Option<String>, names: Vec<String>, used: &Amounts) -> Vec<String> {
    namespace.into_iter().chain(names).chain([cores(used), bytes(used)]).collect()
}

/// What all containers use together.
fn sum(pod: &PodMetrics) -> Amounts {
    let of = |resource: &str| {
        let each = pod.containers.iter().map(|one| amount(&one.usage, resource));
        let sum = each.fold(nakhoda_api::quantity::Quantity::ZERO, |sum, amount| sum + amount);
        (resource.to_owned(), Quantity(sum.to_string()))
    };
    Amounts::from([of("cpu"), of("memory")])
}
