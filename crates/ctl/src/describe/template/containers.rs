//! Containers and what became of them.

use serde_json::Value;

use crate::cluster::{items, text};
use crate::describe::sheet::Sheet;
use crate::describe::values::{or_none, scalar, time};

/// A list of containers; `statuses` of null: a template's.
pub fn write(sheet: &mut Sheet, level: usize, label: &str, containers: &Value, statuses: &Value) {
    sheet.line(level, format!("{label}:"));
    // a template's containers stand one space further right
    let indent = if level > 0 { " " } else { "" };
    for container in containers.as_array().into_iter().flatten() {
        let name = text(container, "/name");
        let status = statuses.as_array().into_iter().flatten().find(|status| status["name"] == name);
        sheet.line(1, format!("{indent}{name}:"));
        basics(sheet, container, status);
        command(sheet, container);
        if let Some(status) = status {
            outcome(sheet, status);
        }
        resources(sheet, &container["resources"]);
        for (label, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if container[field].is_object() {
                sheet.field(2, label, probe(&container[field]));
            }
        }
        sources(sheet, container);
        environment(sheet, container);
        mounts(sheet, container);
    }
}

fn basics(sheet: &mut Sheet, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        sheet.field(2, "Container ID", text(status, "/containerID"));
    }
    sheet.field(2, "Image", text(container, "/image"));
    if let Some(status) = status {
        sheet.field(2, "Image ID", text(status, "/imageID"));
    }
    for (label, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports: Vec<String> = items(container, "/ports").map(|port| one_port(port, field)).collect();
        let label = if ports.len() > 1 { format!("{label}s") } else { label.into() };
        sheet.field(2, &label, or_none(&ports.join(", ")));
    }
}

fn one_port(port: &Value, field: &str) -> String {
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let number = format!("{}/{protocol}", port[field].as_u64().unwrap_or(0));
    match text(port, "/name") {
        "" => number,
        name => format!("{number} ({name})"),
    }
}

fn command(sheet: &mut Sheet, container: &Value) {
    for (label, path) in [("Command", "/command"), ("Args", "/args")] {
        let mut words = items(container, path).filter_map(Value::as_str).peekable();
        if words.peek().is_some() {
            sheet.line(2, format!("{label}:"));
            words.flat_map(|word| word.split('\n')).for_each(|line| sheet.line(3, line));
        }
    }
}

fn outcome(sheet: &mut Sheet, status: &Value) {
    state(sheet, "State", &status["state"]);
    if status["lastState"]["terminated"].is_object() {
        state(sheet, "Last State", &status["lastState"]);
    }
    sheet.field(2, "Ready", if status["ready"] == true { "True" } else { "False" });
    sheet.field(2, "Restart Count", status["restartCount"].as_u64().unwrap_or(0));
}

fn state(sheet: &mut Sheet, label: &str, state: &Value) {
    let terminated = &state["terminated"];
    if state["running"].is_object() {
        sheet.field(2, label, "Running");
        sheet.field(3, "Started", time(text(state, "/running/startedAt")));
    } else if terminated.is_object() {
        sheet.field(2, label, "Terminated");
        sheet.field_if(3, "Reason", text(terminated, "/reason"));
        sheet.field_if(3, "Message", text(terminated, "/message"));
        sheet.field(3, "Exit Code", terminated["exitCode"].as_i64().unwrap_or(0));
        if let Some(signal) = terminated["signal"].as_i64().filter(|signal| *signal > 0) {
            sheet.field(3, "Signal", signal);
        }
        sheet.field(3, "Started", time(text(terminated, "/startedAt")));
        sheet.field(3, "Finished", time(text(terminated, "/finishedAt")));
    } else {
        sheet.field(2, label, "Waiting");
        sheet.field_if(3, "Reason", text(state, "/waiting/reason"));
    }
}

fn resources(sheet: &mut Sheet, resources: &Value) {
    for (label, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let mut named: Vec<(&String, &Value)> = resources[field].as_object().into_iter().flatten().collect();
        named.sort_by_key(|(name, _)| *name);
        if !named.is_empty() {
            sheet.line(2, format!("{label}:"));
        }
        named.iter().for_each(|(name, quantity)| sheet.field(3, name, scalar(quantity)));
    }
}

/// What a probe does and how often.
#[must_use]
pub fn probe(probe: &Value) -> String {
    let number = |field: &str, default| probe[field].as_i64().unwrap_or(default);
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds", 0),
        number("timeoutSeconds", 1),
        number("periodSeconds", 10),
        number("successThreshold", 1),
        number("failureThreshold", 3)
    );
    let (http, tcp, grpc) = (&probe["httpGet"], &probe["tcpSocket"], &probe["grpc"]);
    let what = if probe["exec"].is_object() {
        let words: Vec<&str> = items(probe, "/exec/command").filter_map(Value::as_str).collect();
        format!("exec [{}]", words.join(" "))
    } else if http.is_object() {
        let scheme = http["scheme"].as_str().unwrap_or("HTTP").to_lowercase();
        format!("http-get {scheme}://{}:{}{}", text(http, "/host"), scalar(&http["port"]), text(http, "/path"))
    } else if tcp.is_object() {
        format!("tcp-socket {}:{}", text(tcp, "/host"), scalar(&tcp["port"]))
    } else if grpc.is_object() {
        format!("grpc <pod>:{} {}", scalar(&grpc["port"]), text(grpc, "/service"))
    } else {
        "unknown".into()
    };
    format!("{what} {attributes}")
}

fn sources(sheet: &mut Sheet, container: &Value) {
    let mut all = items(container, "/envFrom").peekable();
    if all.peek().is_none() {
        return;
    }
    sheet.line(2, "Environment Variables from:");
    for source in all {
        let (kind, reference) = if source["secretRef"].is_object() {
            ("Secret", &source["secretRef"])
        } else {
            ("ConfigMap", &source["configMapRef"])
        };
        let prefix = match text(source, "/prefix") {
            "" => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        sheet.line(
            3,
            format!("{}\t{kind}{prefix}\tOptional: {}", text(reference, "/name"), reference["optional"] == true),
        );
    }
}

fn environment(sheet: &mut Sheet, container: &Value) {
    let mut all = items(container, "/env").peekable();
    sheet.line(2, if all.peek().is_none() { "Environment:\t<none>" } else { "Environment:" });
    for variable in all {
        let name = text(variable, "/name");
        let from = &variable["valueFrom"];
        let key = |field: &str, of: &str| {
            let reference = &from[field];
            let (key, name) = (text(reference, "/key"), text(reference, "/name"));
            format!("<set to the key '{key}' {of} '{name}'>\tOptional: {}", reference["optional"] == true)
        };
        let value = if from["fieldRef"].is_object() {
            format!(" ({}:{})", text(from, "/fieldRef/apiVersion"), text(from, "/fieldRef/fieldPath"))
        } else if from["resourceFieldRef"].is_object() {
            format!(" ({})", text(from, "/resourceFieldRef/resource"))
        } else if from["secretKeyRef"].is_object() {
            key("secretKeyRef", "in secret")
        } else if from["configMapKeyRef"].is_object() {
            key("configMapKeyRef", "of config map")
        } else {
            text(variable, "/value").replace('\n', "\n\t")
        };
        value.split('\n').enumerate().for_each(|(index, line)| match index {
            0 => sheet.field(3, name, line),
            _ => sheet.line(3, line),
        });
    }
}

fn mounts(sheet: &mut Sheet, container: &Value) {
    let mut all: Vec<&Value> = items(container, "/volumeMounts").collect();
    all.sort_by_key(|mount| text(mount, "/mountPath"));
    sheet.line(2, if all.is_empty() { "Mounts:\t<none>" } else { "Mounts:" });
    for mount in all {
        let mode = if mount["readOnly"] == true { "ro" } else { "rw" };
        let path = match text(mount, "/subPath") {
            "" => String::new(),
            path => format!(",path={path:?}"),
        };
        sheet.line(3, format!("{} from {} ({mode}{path})", text(mount, "/mountPath"), text(mount, "/name")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn probes_are_one_line() {
        let http = json!({"httpGet": {"path": "/", "port": 5000, "scheme": "HTTP"}, "periodSeconds": 1});
        assert_eq!(probe(&http), "http-get http://:5000/ delay=0s timeout=1s period=1s #success=1 #failure=3");
        assert!(probe(&json!({"exec": {"command": ["a", "b"]}})).starts_with("exec [a b] "));
    }
}
