//! A browser of the test's own: headless Chromium, driven through chromedriver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::TimeoutConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const WAIT: Duration = Duration::from_secs(20);

pub(crate) struct Browser {
    pub(crate) page: Client,
    runtime: Runtime,
    driver: Child,
}

impl Browser {
    /// A window of so many pixels, for somebody who speaks a language.
    pub(crate) fn open(width: u32, height: u32, language: &str) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: ./test.sh installs it");
        let port = port(&mut driver);
        let runtime = Runtime::new().expect("a runtime");
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     format!("--window-size={width},{height}"), format!("--lang={language}")],
            "prefs": {"intl.accept_languages": language},
            "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 1, "touch": false}},
        });
        let Value::Object(capabilities) = json!({"goog:chromeOptions": options}) else {
            unreachable!("an object")
        };
        let page = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let driver = format!("http://127.0.0.1:{port}");
            let page = builder.capabilities(capabilities).connect(&driver).await;
            let page = page.expect("a browser");
            let scripts = TimeoutConfiguration::new(Some(WAIT), Some(WAIT), None);
            page.update_timeouts(scripts).await.expect("time-outs");
            page
        });
        Self {
            page,
            runtime,
            driver,
        }
    }

    pub(crate) fn go(&self, url: &str) {
        self.runtime.block_on(self.page.goto(url)).expect("a page");
    }

    /// What a script answers.
    pub(crate) fn js(&self, script: &str) -> Value {
        let done = self.runtime.block_on(self.page.execute(script, Vec::new()));
        done.expect("a script that runs")
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub(crate) fn until(&self, expression: &str) {
        // The page looks itself, so that nothing is missed between two looks.
        let script = format!(
            "const done = arguments[0]; const end = Date.now() + 15000;
             const look = () => {{
                 let there = false;
                 try {{ there = Boolean({expression}); }} catch {{}}
                 if (there || Date.now() > end) done(there); else setTimeout(look, 20);
             }};
             look();"
        );
        let found = self
            .runtime
            .block_on(self.page.execute_async(&script, Vec::new()));
        if found.expect("a script that runs") != true {
            panic!(
                "never: {expression}\n{}",
                self.js("return document.body.innerText")
            );
        }
    }

    pub(crate) fn click(&self, css: &str) {
        self.runtime.block_on(async {
            let found = self
                .page
                .wait()
                .at_most(WAIT)
                .for_element(Locator::Css(css))
                .await;
            found.expect(css).click().await.expect(css);
        });
    }

    /// Types into whatever has the focus.
    pub(crate) fn keys(&self, keys: &str) {
        self.runtime.block_on(async {
            let focused = self.page.active_element().await.expect("a focus");
            focused.send_keys(keys).await.expect("keys");
        });
    }

    /// Chooses a file.
    pub(crate) fn choose(&self, css: &str, path: &str) {
        self.runtime.block_on(async {
            let input = self.page.find(Locator::Css(css)).await.expect(css);
            input.send_keys(path).await.expect("a file");
        });
    }

    /// Goes on in the only frame of the page.
    pub(crate) fn enter_frame(&self) {
        self.runtime.block_on(self.page.enter_frame(0)).expect("a frame");
    }

    pub(crate) fn leave_frame(&self) {
        self.runtime
            .block_on(self.page.clone().enter_parent_frame())
            .expect("the page around");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.runtime.block_on(self.page.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The port that chromedriver says it listens on.
fn port(driver: &mut Child) -> u16 {
    let said = BufReader::new(driver.stdout.take().expect("its output"));
    for line in said.lines() {
        let line = line.expect("a line");
        let port = line
            .strip_prefix("ChromeDriver was started successfully on port ")
            .and_then(|rest| rest.trim_end_matches('.').parse().ok());
        if let Some(port) = port {
            return port;
        }
    }
    panic!("chromedriver did not start")
}
