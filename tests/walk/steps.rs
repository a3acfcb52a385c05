//! The steps. Each ends when what a person would look for is there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nakhoda_tests::command::{Client, eventually};
use nakhoda_tests::source::root;

const APP: &str = "hello-flask";

/// One walk.
pub(crate) struct Walk {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

// === impl Walk ===

impl Walk {
    /// Makes the namespace; a new one has its account and its CA at once.
    pub(crate) fn begin(client: Client, namespace: String) -> Result<Self> {
        client.run(&["create", "namespace", &namespace])?;
        let walk = Self { client, namespace };
        walk.until(&["get", "serviceaccounts"], "default")?;
        walk.until(&["get", "configmaps"], "kube-root-ca.crt")?;
        Ok(walk)
    }

    /// `create deployment`, and it becomes available.
    pub(crate) fn deploy(&self) -> Result<()> {
        self.run(&["create", "deployment", APP, "--image=hello-flask:1"])?;
        self.run(&["rollout", "status", "deployment", APP, "--timeout=60s"])?;
        // The app does not handle SIGTERM: without this each of its pods would take 30 s to go.
        let grace = r#"{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":2}}}}"#;
        self.run(&["patch", "deployment", APP, "-p", grace])?;
        self.run(&["rollout", "status", "deployment", APP, "--timeout=60s"])?;
        eventually("one pod", || {
            let pods = self.run(&["get", "pods", "-o", "name"])?;
            ensure!(pods.lines().count() == 1, "{pods}");
            Ok(())
        })
    }

    /// `get`, `describe` and the events tell what happened.
    pub(crate) fn look(&self) -> Result<()> {
        let deployments = self.run(&["get", "deployments"])?;
        ensure!(deployments.contains("READY   UP-TO-DATE   AVAILABLE"), "{deployments}");
        ensure!(deployments.contains("1/1     1            1"), "{deployments}");
        let pods = self.run(&["get", "pods", "-o", "wide"])?;
        ensure!(pods.contains("Running") && pods.contains("node-"), "{pods}");
        let described = self.run(&["describe", "pods", "-l", &format!("app={APP}")])?;
        ensure!(described.contains("Successfully assigned") && described.contains("hello-flask:1"), "{described}");
        let events = self.run(&["get", "events"])?;
        for reason in ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"] {
            ensure!(events.contains(reason), "no {reason} in\n{events}");
        }
        Ok(())
    }

    /// `expose`: the load-balancer address and the node port answer from the host.
    pub(crate) fn expose(&self) -> Result<()> {
        self.run(&["expose", "deployment", APP, "--type=LoadBalancer", "--port=5000"])?;
        let ip = self.path("service", APP, "{.status.loadBalancer.ingress[0].ip}")?;
        let port = self.path("service", APP, "{.spec.ports[0].nodePort}")?;
        let services = self.run(&["get", "services"])?;
        ensure!(services.contains(&ip) && !services.contains("<pending>"), "{services}");
        for address in [format!("{ip}:5000"), format!("{ip}:{port}")] {
            eventually(&format!("an answer from {address}"), || expect(&ask(&address)?, "Hello one"))?;
        }
        Ok(())
    }

    /// The page by its DNS name, from a pod.
    pub(crate) fn by_name(&self) -> Result<()> {
        let url = format!("http://{APP}.{}.svc.cluster.local:5000/", self.namespace);
        let pod = self.pod()?;
        for url in [url.as_str(), "http://hello-flask:5000/"] {
            let page = eventually("the page by its name", || self.run(&["exec", &pod, "--", "wget", "-qO-", url]))?;
            expect(&page, "Hello one")?;
        }
        Ok(())
    }

    /// `logs`, `exec`, `exec -i`, `cp`, `port-forward`.
    pub(crate) fn inside(&self) -> Result<()> {
        let pod = self.pod()?;
        let logs = self.run(&["logs", &pod])?;
        ensure!(logs.contains("Running on"), "{logs}");
        expect(&self.run(&["exec", &pod, "--", "sh", "-c", "echo out; echo err >&2"])?, "out")?;
        let input = "line\n".repeat(20_000);
        let arguments = ["exec", "-i", &pod, "-n", &self.namespace, "--", "cat"];
        ensure!(self.client.with_input(&arguments, &input)? == input, "exec -i lost something");
        let failed = self.client.output(&["exec", &pod, "-n", &self.namespace, "--", "sh", "-c", "exit 7"], "")?;
        ensure!(failed.status.code() == Some(7), "exit code {:?}", failed.status.code());
        let file = root().join("Cargo.lock").to_string_lossy().into_owned();
        self.run(&["cp", &file, &format!("{pod}:/tmp/lock")])?;
        let copied = self.run(&["exec", &pod, "--", "cat", "/tmp/lock"])?;
        ensure!(copied == std::fs::read_to_string(&file)?, "cp changed the file");
        self.forward(&pod)
    }

    /// `scale`; a deleted pod is replaced; a killed process is started again in place.
    pub(crate) fn scale_and_heal(&self) -> Result<()> {
        self.run(&["scale", "deployment", APP, "--replicas=3"])?;
        self.until(&["get", "deployment", APP], "3/3")?;
        let pod = self.pod()?;
        self.run(&["delete", "pod", &pod])?;
        self.until(&["get", "deployment", APP], "3/3")?;
        ensure!(!self.run(&["get", "pods"])?.contains(&pod), "{pod} is still there");
        let pod = self.pod()?;
        self.until(&["logs", &pod], "Running on")?;
        // The first process of a container ignores signals that it does not handle; Python handles this one.
        self.run(&["exec", &pod, "--", "kill", "-INT", "1"])?;
        eventually("the restart", || {
            expect(&self.path("pod", &pod, "{.status.containerStatuses[0].restartCount}")?, "1")?;
            self.until(&["get", "deployment", APP], "3/3")
        })?;
        ensure!(self.run(&["logs", "-p", &pod])?.contains("Running on"), "the logs of the process before are gone");
        Ok(())
    }

    /// A new version and back while a client asks all the time, each time on a new connection.
    pub(crate) fn roll(&self) -> Result<()> {
        let probe = r#"{"spec":{"template":{"spec":{"containers":[{"name":"hello-flask","readinessProbe":{"httpGet":{"path":"/","port":5000},"periodSeconds":1}}]}}}}"#;
        self.run(&["patch", "deployment", APP, "-p", probe])?;
        self.run(&["rollout", "status", "deployment", APP, "--timeout=60s"])?;
        let ip = self.path("service", APP, "{.status.loadBalancer.ingress[0].ip}")?;
        let asker = Asker::start(format!("{ip}:5000"));
        self.run(&["set", "image", &format!("deployment/{APP}"), "hello-flask=hello-flask:2"])?;
        self.run(&["rollout", "status", "deployment", APP, "--timeout=90s"])?;
        expect(&ask(&format!("{ip}:5000"))?, "Hello two")?;
        self.run(&["rollout", "undo", &format!("deployment/{APP}")])?;
        self.run(&["rollout", "status", "deployment", APP, "--timeout=90s"])?;
        expect(&ask(&format!("{ip}:5000"))?, "Hello one")?;
        asker.judge()
    }

    /// A pod calls the API with its own token, and RBAC decides.
    pub(crate) fn identity(&self) -> Result<()> {
        let pod = self.pod()?;
        let base = "/var/run/secrets/kubernetes.io/serviceaccount";
        let namespace = self.run(&["exec", &pod, "--", "cat", &format!("{base}/namespace")])?;
        ensure!(namespace == self.namespace, "{namespace}");
        let script = format!(
            "import ssl,urllib.request as u,urllib.error as e\n\
             c=ssl.create_default_context(cafile='{base}/ca.crt')\n\
             t=open('{base}/token').read()\n\
             r=u.Request('https://kubernetes.default.svc/api/v1/namespaces/{}/pods',headers={{'Authorization':'Bearer '+t}})\n\
             try: print(u.urlopen(r,context=c).status)\n\
             except e.HTTPError as x: print(x.code,x.read().decode())\n",
            self.namespace
        );
        let ask = || self.run(&["exec", &pod, "--", "/usr/bin/python3", "-c", &script]);
        let refused = ask()?;
        ensure!(refused.starts_with("403") && refused.contains("system:serviceaccount"), "{refused}");
        let account = format!("{}:default", self.namespace);
        self.run(&["create", "rolebinding", "viewer", "--clusterrole=view", &format!("--serviceaccount={account}")])
            .or_else(|_| self.bind_viewer())?;
        eventually("the right to list pods", || expect(&ask()?, "200"))
    }

    /// Everything goes with the namespace.
    pub(crate) fn end(&self) -> Result<()> {
        self.client.run(&["delete", "namespace", &self.namespace])?;
        eventually("the namespace to go", || {
            let left = self.client.run(&["get", "namespaces"])?;
            ensure!(!left.contains(&self.namespace), "{left}");
            Ok(())
        })
    }

    fn bind_viewer(&self) -> Result<String> {
        let binding = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: viewer}}\nroleRef: \
             {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}\nsubjects:\n- {{kind: \
             ServiceAccount, name: default, namespace: {}}}\n",
            self.namespace
        );
        self.client.with_input(&["create", "-n", &self.namespace, "-f", "-"], &binding)
    }

    fn forward(&self, pod: &str) -> Result<()> {
        let port = 20_000 + u16::try_from(std::process::id() % 10_000)?;
        let mut child = std::process::Command::new(&self.client.program)
            .arg("--kubeconfig")
            .arg(root().join(".cluster/kubeconfig"))
            .args(["port-forward", pod, "-n", &self.namespace, &format!("{port}:5000")])
            .stdout(std::process::Stdio::null())
            .spawn()?;
        let page = eventually("the forwarded page", || ask(&format!("127.0.0.1:{port}")));
        child.kill()?;
        child.wait()?;
        expect(&page?, "Hello one")
    }

    pub(crate) fn pod(&self) -> Result<String> {
        let path = "jsonpath={.items[?(@.status.phase==\"Running\")].metadata.name}";
        let names = self.run(&["get", "pods", "-l", &format!("app={APP}"), "-o", path])?;
        names.split_whitespace().next().map(Into::into).context("no pod runs")
    }

    /// A value of an object, once it is there.
    pub(crate) fn path(&self, kind: &str, name: &str, path: &str) -> Result<String> {
        eventually(&format!("{path} of {kind} {name}"), || {
            let value = self.run(&["get", kind, name, "-o", &format!("jsonpath={path}")])?;
            if value.is_empty() { bail!("it has none") } else { Ok(value) }
        })
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String> {
        self.client.run(&self.scoped(arguments))
    }

    pub(crate) fn until(&self, arguments: &[&str], wanted: &str) -> Result<String> {
        self.client.until(&self.scoped(arguments), wanted)
    }

    /// The namespace stands before `--`: what follows is the command inside the pod.
    fn scoped<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        let split = arguments.iter().position(|a| *a == "--").unwrap_or(arguments.len());
        let (before, after) = arguments.split_at(split);
        [before, &["-n", &self.namespace], after].concat()
    }
}

/// Asks 50 times a second.
struct Asker {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    failed: Arc<Failures>,
    thread: std::thread::JoinHandle<()>,
}

/// The failed requests, each with its text.
type Failures = std::sync::Mutex<Vec<String>>;

// === impl Asker ===

impl Asker {
    fn start(address: String) -> Self {
        let (stop, asked, failed) =
            (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default(), Arc::<Failures>::default());
        let (stopped, count, failures) = (stop.clone(), asked.clone(), failed.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                count.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = ask(&address).and_then(|page| expect(&page, "Hello")) {
                    failures.lock().expect("no thread panics with it").push(format!("{error:#}"));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { stop, asked, failed, thread }
    }

    /// No request may have failed.
    fn judge(self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the asking thread panicked"))?;
        let failed = self.failed.lock().expect("the thread has ended");
        let asked = self.asked.load(Ordering::Relaxed);
        ensure!(
            failed.is_empty(),
            "{} of {asked} requests failed: {:?}",
            failed.len(),
            failed.iter().take(5).collect::<Vec<_>>()
        );
        eprintln!("{asked} requests during two rollouts, none failed");
        Ok(())
    }
}

/// The page at an address, on a connection of its own.
fn ask(address: &str) -> Result<String> {
    let address: SocketAddr = address.parse()?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

pub(crate) fn expect(text: &str, wanted: &str) -> Result<()> {
    ensure!(text.contains(wanted), "{wanted:?} is not in {text:?}");
    Ok(())
}
