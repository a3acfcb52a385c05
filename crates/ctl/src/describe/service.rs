//! Services, with their endpoints.

use nakhoda_client::Selection;
use serde_json::Value;

use super::sheet::Sheet;
use super::values::{labels_and_annotations, or_none, pairs, scalar};
use crate::cluster::{items, text};
use crate::{Cluster, Error};

/// So many endpoints are listed by address.
const SHOWN: usize = 3;

/// Writes a Service.
pub async fn describe(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
    let selection = Selection::labels(format!("kubernetes.io/service-name={}", text(object, "/metadata/name")));
    let resource = cluster.mapping.find("endpointslices.discovery.k8s.io")?;
    let slices = cluster.list(resource, text(object, "/metadata/namespace"), &selection).await?;
    write(sheet, object, &slices);
    Ok(())
}

fn write(sheet: &mut Sheet, object: &Value, slices: &[Value]) {
    let spec = &object["spec"];
    let joined = |path| items(object, path).filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    labels_and_annotations(sheet, 0, &object["metadata"]);
    sheet.field(0, "Selector", or_none(&pairs(&spec["selector"]).join(",")));
    sheet.field(0, "Type", text(spec, "/type"));
    sheet.field_if(0, "IP Family Policy", text(spec, "/ipFamilyPolicy"));
    sheet.field(0, "IP Families", or_none(&joined("/spec/ipFamilies")));
    sheet.field(0, "IP", text(spec, "/clusterIP"));
    sheet.field(0, "IPs", or_none(&joined("/spec/clusterIPs")));
    sheet.field_if(0, "External IPs", &joined("/spec/externalIPs"));
    sheet.field_if(0, "Desired LoadBalancer IP", text(spec, "/loadBalancerIP"));
    sheet.field_if(0, "External Name", text(spec, "/externalName"));
    sheet.field_if(0, "LoadBalancer Ingress", &ingress(object));
    items(spec, "/ports").for_each(|port| one_port(sheet, port, slices));
    sheet.field(0, "Session Affinity", text(spec, "/sessionAffinity"));
    sheet.field_if(0, "External Traffic Policy", text(spec, "/externalTrafficPolicy"));
    sheet.field_if(0, "Internal Traffic Policy", text(spec, "/internalTrafficPolicy"));
    sheet.field_if(0, "HealthCheck NodePort", &scalar(&spec["healthCheckNodePort"]));
    sheet.field_if(0, "LoadBalancer Source Ranges", &joined("/spec/loadBalancerSourceRanges"));
    sheet.field_if(0, "Traffic Distribution", text(spec, "/trafficDistribution"));
}

/// `10.0.0.1 (VIP), …`
fn ingress(object: &Value) -> String {
    let one = |entry: &Value| match (text(entry, "/ip"), text(entry, "/ipMode")) {
        ("", _) => text(entry, "/hostname").to_owned(),
        (ip, "") => ip.to_owned(),
        (ip, mode) => format!("{ip} ({mode})"),
    };
    items(object, "/status/loadBalancer/ingress").map(one).collect::<Vec<_>>().join(", ")
}

fn one_port(sheet: &mut Sheet, port: &Value, slices: &[Value]) {
    let name = Some(text(port, "/name")).filter(|name| !name.is_empty()).unwrap_or("<unset>");
    let protocol = text(port, "/protocol");
    sheet.line(0, format!("Port:\t{name}\t{}/{protocol}", scalar(&port["port"])));
    sheet.field(0, "TargetPort", format!("{}/{protocol}", scalar(&port["targetPort"])));
    sheet.field_if(0, "AppProtocol", text(port, "/appProtocol"));
    if let Some(number) = port["nodePort"].as_u64().filter(|number| *number != 0) {
        sheet.line(0, format!("NodePort:\t{name}\t{number}/{protocol}"));
    }
    sheet.field(0, "Endpoints", endpoints(text(port, "/name"), slices));
}

/// The ready endpoints of a port, the first few by address.
fn endpoints(port: &str, slices: &[Value]) -> String {
    let mut all = Vec::new();
    for slice in slices {
        let numbers = items(slice, "/ports").filter(|p| text(p, "/name") == port).map(|p| scalar(&p["port"]));
        for number in numbers {
            let ready = items(slice, "/endpoints").filter(|endpoint| endpoint["conditions"]["ready"] != false);
            let addresses = ready.flat_map(|endpoint| items(endpoint, "/addresses")).filter_map(Value::as_str);
            all.extend(addresses.map(|address| if address.contains(':') { format!("[{address}]:{number}") } else { format!("{address}:{number}") }));
        }
    }
    let more = if all.len() > SHOWN { format!(" + {} more...", all.len() - SHOWN) } else { String::new() };
    all.truncate(SHOWN);
    all.join(",") + &more
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn endpoints_that_are_ready_are_listed() {
        let slice = json!({"ports": [{"name": "", "port": 80}], "endpoints": [
            {"addresses": ["10.0.0.1"], "conditions": {"ready": true}}, {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
            {"addresses": ["10.0.0.3"]}, {"addresses": ["10.0.0.4"]}, {"addresses": ["10.0.0.5"]}]});
        assert_eq!(endpoints("", &[slice]), "10.0.0.1:80,10.0.0.3:80,10.0.0.4:80 + 1 more...");
        assert_eq!(endpoints("", &[]), "");
    }
}
