//! `auth can-i --list`: everything that the caller may do, as kubectl lists it: a line for each resource and path,
//! rules of the same resource put together.

use std::process::ExitCode;

use nakhoda_api::Object;
use serde_json::{Value, json};

use crate::output::table::Rows;
use crate::{Cluster, Error};

/// A line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    group: Option<String>,
    resource: Option<String>,
    names: Vec<String>,
    paths: Vec<String>,
    verbs: Vec<String>,
}

/// Asks and prints.
pub(super) async fn run(cluster: &Cluster, headless: bool) -> Result<ExitCode, Error> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "metadata": {},
        "spec": {"namespace": cluster.namespace},
    });
    let api = cluster.api(cluster.resource_of(&review)?, "");
    let review = Object::from_value(review).map_err(|e| Error::Usage(e.to_string()))?;
    let answer = api.create(&review).await?.into_value();
    let status = &answer["status"];
    if status["incomplete"] == true {
        let why = status["evaluationError"].as_str().unwrap_or_default();
        eprintln!("warning: the list may be incomplete: {why}");
    }
    crate::output::out::text(&table(&rules(status)).text(headless));
    Ok(ExitCode::SUCCESS)
}

/// The lines of an answer, in kubectl's order.
fn rules(status: &Value) -> Vec<Rule> {
    let mut lines: Vec<Rule> = Vec::new();
    for rule in status["resourceRules"].as_array().into_iter().flatten() {
        for (group, resource) in
            texts(&rule["apiGroups"]).iter().flat_map(|g| texts(&rule["resources"]).into_iter().map(move |r| (g.clone(), r)))
        {
            let names = texts(&rule["resourceNames"]);
            let each = if names.is_empty() { vec![Vec::new()] } else { names.into_iter().map(|n| vec![n]).collect() };
            for names in each {
                let (group, resource) = (Some(group.clone()), Some(resource.clone()));
                add(&mut lines, Rule { group, resource, names, verbs: texts(&rule["verbs"]), ..Rule::default() });
            }
        }
    }
    for rule in status["nonResourceRules"].as_array().into_iter().flatten() {
        for path in texts(&rule["nonResourceURLs"]) {
            lines.push(Rule { paths: vec![path], verbs: texts(&rule["verbs"]), ..Rule::default() });
        }
    }
    lines.sort_by_cached_key(Rule::printed);
    lines
}

/// Puts a rule to the one about the same, if there is one.
fn add(lines: &mut Vec<Rule>, rule: Rule) {
    let same = |line: &&mut Rule| (&line.group, &line.resource, &line.names) == (&rule.group, &rule.resource, &rule.names);
    match lines.iter_mut().find(same) {
        None => lines.push(rule),
        Some(known) => {
            for verb in rule.verbs {
                if !known.verbs.contains(&verb) {
                    known.verbs.push(verb);
                }
            }
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn table(rules: &[Rule]) -> Rows {
    let list = |values: &[String]| format!("[{}]", values.join(" "));
    let headers = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"].map(str::to_owned);
    let rows = rules.iter().map(|rule| vec![rule.what(), list(&rule.paths), list(&rule.names), list(&rule.verbs)]);
    Rows { heads: headers.into(), rows: rows.collect() }
}

// === impl Rule ===

impl Rule {
    /// `pods.metrics.k8s.io/log`.
    fn what(&self) -> String {
        let resource = self.resource.as_deref().unwrap_or_default();
        let (plain, sub) = resource.split_once('/').map_or((resource, None), |(plain, sub)| (plain, Some(sub)));
        let group = self.group.as_deref().filter(|group| !group.is_empty());
        let group = group.map_or_else(String::new, |group| format!(".{group}"));
        format!("{plain}{group}{}", sub.map_or_else(String::new, |sub| format!("/{sub}")))
    }

    /// As Go prints it: what the order is by.
    fn printed(&self) -> String {
        let list = |values: &[String]| format!("[{}]", values.join(" "));
        let one = |value: &Option<String>| format!("[{}]", value.as_deref().unwrap_or_default());
        let (verbs, groups, resources) = (list(&self.verbs), one(&self.group), one(&self.resource));
        let (names, paths) = (list(&self.names), list(&self.paths));
        format!("&PolicyRule{{Verbs:{verbs},APIGroups:{groups},Resources:{resources},ResourceNames:{names},NonResourceURLs:{paths},}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_one_resource_are_one_line_and_the_order_is_kubectls() {
        let status = json!({
            "resourceRules": [
                {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]},
                {"verbs": ["list", "delete"], "apiGroups": [""], "resources": ["pods"]},
                {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["selfsubjectrulesreviews"]},
                {"verbs": ["get"], "apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": ["a", "b"]},
            ],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/api/*"]}],
        });
        let rules = rules(&status);
        let lines: Vec<String> = rules.iter().map(|r| format!("{} {:?} {:?} {}", r.what(), r.paths, r.names, r.verbs.join(","))).collect();
        assert_eq!(lines, [
            "selfsubjectrulesreviews.authorization.k8s.io [] [] create",
            "pods [] [] get,list,delete",
            "pods/log [] [] get,list",
            " [\"/api/*\"] [] get",
            " [\"/healthz\"] [] get",
            "deployments.apps/scale [] [\"a\"] get",
            "deployments.apps/scale [] [\"b\"] get",
        ]);
    }
}
