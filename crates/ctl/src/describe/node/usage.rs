//! How much of a node its pods ask for.

use nakhoda_api::quantity::Quantity;
use serde_json::Value;

use crate::cluster::{items, text};
use crate::describe::sheet::Sheet;
use crate::describe::values::age;

/// Which containers' resources are summed up.
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// The sections `Non-terminated Pods` and `Allocated resources`.
pub fn write(sheet: &mut Sheet, node: &Value, pods: &[Value]) {
    sheet.field(0, "Non-terminated Pods", format!("({} in total)", pods.len()));
    sheet.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    sheet.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let cell = |pods: &[Value], resource, field| share(total(pods, field, resource), resource, node);
    for pod in pods {
        let one = std::slice::from_ref(pod);
        let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
        let cells: Vec<String> =
            ["cpu", "memory"].iter().flat_map(|r| [cell(one, r, "requests"), cell(one, r, "limits")]).collect();
        let since = age(sheet.now, text(pod, "/metadata/creationTimestamp"));
        sheet.line(1, format!("{namespace}\t{name}\t\t{}\t{since}", cells.join("\t")));
    }
    sheet.line(0, "Allocated resources:");
    sheet.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    sheet.line(1, "Resource\tRequests\tLimits");
    sheet.line(1, "--------\t--------\t------");
    for resource in RESOURCES {
        sheet.line(1, format!("{resource}\t{}\t{}", cell(pods, resource, "requests"), cell(pods, resource, "limits")));
    }
}

/// Thousandths. A pod needs the sum of its containers, or its largest init container if that is more.
fn total(pods: &[Value], field: &str, resource: &str) -> i64 {
    let of = |container: &Value| milli(&container["resources"][field][resource]);
    let pod = |pod: &Value| {
        let sum: i64 = items(pod, "/spec/containers").map(of).sum();
        items(pod, "/spec/initContainers").map(of).fold(sum, i64::max)
    };
    pods.iter().map(pod).sum()
}

fn milli(value: &Value) -> i64 {
    value.as_str().and_then(|text| Quantity::parse(text).ok()).map_or(0, Quantity::milli)
}

/// The amount, and its part of what the node has to give.
fn share(milli_amount: i64, resource: &str, node: &Value) -> String {
    let all = milli(&node["status"]["allocatable"][resource]);
    let percent = milli_amount.saturating_mul(100).checked_div(all).unwrap_or(0);
    format!("{} ({percent}%)", amount(milli_amount, resource == "cpu"))
}

fn amount(milli: i64, fractional: bool) -> String {
    if milli % 1000 != 0 && fractional {
        return format!("{milli}m");
    }
    let whole = milli / 1000;
    let units = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let unit = units.iter().find(|(_, size)| !fractional && whole > 0 && whole % size == 0);
    unit.map_or_else(|| whole.to_string(), |(name, size)| format!("{}{name}", whole / size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_are_summed_up_and_set_against_the_node() {
        let pod = json!({"spec": {"containers": [
            {"resources": {"requests": {"cpu": "250m", "memory": "64Mi"}}}, {"resources": {"requests": {"cpu": "1"}}}],
            "initContainers": [{"resources": {"requests": {"cpu": "500m"}}}]}});
        let node = json!({"status": {"allocatable": {"cpu": "2", "memory": "128Mi"}}});
        let pods = [pod];
        assert_eq!(share(total(&pods, "requests", "cpu"), "cpu", &node), "1250m (62%)");
        assert_eq!(share(total(&pods, "requests", "memory"), "memory", &node), "64Mi (50%)");
        assert_eq!(share(0, "cpu", &node), "0 (0%)");
    }
}
