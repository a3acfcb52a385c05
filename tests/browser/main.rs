//! The page in a real browser, headless, from the load-balancer address and from the node port.
//!
//! Skipped, and said so, where no Chromium is installed.

use std::process::Command;

use anyhow::{Result, ensure};
use nakhoda_tests::app::App;
use nakhoda_tests::command::eventually;

const BROWSERS: [&str; 2] = ["chromium-headless-shell", "chromium"];

fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()))
}

/// What the browser shows once the page is loaded.
fn rendered(browser: &str, url: &str) -> Result<String> {
    let output =
        Command::new(browser).args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", url]).output()?;
    ensure!(output.status.success(), "{browser} {url}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run() -> Result<()> {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium is installed (apt-get install chromium-headless-shell)");
        return Ok(());
    };
    let app = App::start("browser", 1)?;
    app.run(&["expose", "deployment", "app", "--name=page", "--type=LoadBalancer", "--port=8080"])?;
    let value = |path: &str| {
        eventually(path, || {
            let value = app.run(&["get", "service", "page", "-o", &format!("jsonpath={path}")])?;
            ensure!(!value.is_empty(), "none yet");
            Ok(value)
        })
    };
    let ip = value("{.status.loadBalancer.ingress[0].ip}")?;
    let port = value("{.spec.ports[0].nodePort}")?;
    let name = app.pods()?.first().map(|pod| pod.name.clone()).unwrap_or_default();
    for url in [format!("http://{ip}:8080/"), format!("http://{ip}:{port}/")] {
        eventually(&format!("the page at {url}"), || {
            let page = rendered(browser, &url)?;
            ensure!(page.contains("<body>") && page.contains(&name), "{page}");
            Ok(())
        })?;
        eprintln!("{browser} shows {url}");
    }
    app.end()
}

#[test]
fn the_page_renders_in_a_browser() {
    run().unwrap_or_else(|e| panic!("{e:?}"));
}
