//! A browser: Chromium through chromedriver, spoken to as W3C WebDriver says, which is JSON over HTTP.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};

/// Longer than anything in a page takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The key that WebDriver names elements by.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys without a character of their own.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\u{E007}";
    pub(crate) const ESCAPE: &str = "\u{E00C}";
    pub(crate) const TAB: &str = "\u{E004}";
    pub(crate) const CONTROL: &str = "\u{E009}";
}

/// How a reader's browser is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) language: &'static str,
    pub(crate) dark: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            language: "en-GB",
            dark: false,
            width: 1280,
            height: 800,
        }
    }
}

/// How often chromedriver is started until it listens: it wants the free port that it finds for IPv6 for IPv4 too, and gives up
/// where somebody else has that.
const STARTS: usize = 10;

/// The driver and its port; nothing if it gave up.
fn start_driver() -> Option<(Child, String)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver: `apt-get install chromium chromium-driver`");
    let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
    let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.rsplit_once("successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    let Some(port) = port else {
        driver.wait().expect("a driver that ended");
        return None;
    };
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

const AXE: &str = include_str!("browser/axe.min.js");

/// A browser with one window.
pub(crate) struct Browser {
    driver: Child,
    client: Client,
    session: String,
    home: String,
}

/// An element of a page.
#[derive(Debug, Clone)]
pub(crate) struct Element(String);

impl Browser {
    /// A browser of a reader, for the server at an address.
    pub(crate) fn open(home: &str, reader: Reader) -> Self {
        let (driver, port) = (0..STARTS)
            .find_map(|_| start_driver())
            .expect("chromedriver that listens");
        let client = Client::builder().timeout(2 * PATIENCE).build().expect("a client");
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-lcd-text", "--hide-scrollbars"],
            "prefs": {"intl.accept_languages": reader.language, "intl.selected_languages": reader.language},
        });
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let url = format!("http://127.0.0.1:{port}/session");
        let begun = client.post(&url).json(&capabilities).send().expect("an answer");
        let begun: Value = begun.json().expect("JSON");
        let id = begun["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{begun}"));
        let browser = Self {
            driver,
            client,
            session: format!("{url}/{id}"),
            home: home.to_owned(),
        };
        browser.look(reader);
        browser
    }

    /// What axe finds serious or critical.
    pub(crate) fn barriers(&self) -> Vec<String> {
        let found = self.run(&format!("{AXE}; return axe.run()"));
        let violations = found["violations"].as_array().expect("violations").iter();
        let serious = violations.filter(|one| one["impact"] == "serious" || one["impact"] == "critical");
        serious
            .map(|one| {
                let nodes: Vec<&Value> = one["nodes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|node| &node["html"])
                    .collect();
                format!("{}: {} {nodes:?}", one["id"], one["help"])
            })
            .collect()
    }

    /// The window's size, and whether the system is dark.
    pub(crate) fn look(&self, reader: Reader) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": reader.width, "height": reader.height, "deviceScaleFactor": 1, "mobile": reader.width < 500}),
        );
        let scheme = if reader.dark { "dark" } else { "light" };
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// A command of the developer tools.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call(
            &Method::POST,
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        )
    }

    /// A command of WebDriver.
    pub(crate) fn call(&self, method: &Method, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn try_call(&self, method: &Method, path: &str, body: &Value) -> Result<Value, Value> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.session));
        if *method == Method::POST {
            request = request.json(body);
        }
        let answer = request.send().expect("chromedriver's answer");
        let succeeded = answer.status().is_success();
        let mut answer: Value = answer.json().expect("JSON");
        let value = answer["value"].take();
        if succeeded { Ok(value) } else { Err(value) }
    }

    /// Opens a path of the server.
    pub(crate) fn go(&self, path: &str) {
        self.call(
            &Method::POST,
            "/url",
            &json!({"url": format!("{}{path}", self.home)}),
        );
    }

    pub(crate) fn reload(&self) {
        self.call(&Method::POST, "/refresh", &json!({}));
    }

    /// Path and query of where it is.
    pub(crate) fn path(&self) -> String {
        let url = self.call(&Method::GET, "/url", &Value::Null);
        url.as_str().expect("an address").replace(&self.home, "")
    }

    /// Runs the body of a function in the page, once that is all there; answers what it returns, promises awaited.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.wait("return true");
        self.call(
            &Method::POST,
            "/execute/sync",
            &json!({"script": script, "args": []}),
        )
    }

    /// Runs it again and again until it answers something that is true; answers that.
    pub(crate) fn wait(&self, script: &str) -> Value {
        let begun = Instant::now();
        // On a busy machine a page is shown, and may be asked, long before its scripts have run.
        let script = format!("if (document.readyState !== 'complete') return null; {script}");
        let body = json!({"script": script, "args": []});
        loop {
            let last = self.try_call(&Method::POST, "/execute/sync", &body);
            match &last {
                Ok(value) if !matches!(value, Value::Null | Value::Bool(false)) => return value.clone(),
                // A page that is being left cannot be asked.
                _ => assert!(
                    begun.elapsed() < PATIENCE,
                    "never true at {}: {script}: {last:?}\n{:?}",
                    self.path(),
                    self.call(&Method::GET, "/source", &Value::Null)
                ),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for an element that matches a selector and is shown.
    pub(crate) fn find(&self, css: &str) -> Element {
        let css = serde_json::to_string(css).expect("JSON");
        let found = self.wait(&format!(
            "const found = document.querySelector({css}); return found && found.getClientRects().length ? found : null"
        ));
        Element(found[ELEMENT].as_str().expect("an element").to_owned())
    }

    /// The text of the first element that matches a selector, as it is shown; empty where there is none.
    pub(crate) fn text(&self, css: &str) -> String {
        let css = serde_json::to_string(css).expect("JSON");
        let text = self.run(&format!("return document.querySelector({css})?.innerText ?? ''"));
        text.as_str().expect("a text").trim().to_owned()
    }

    /// How many elements match a selector.
    pub(crate) fn count(&self, css: &str) -> u64 {
        let css = serde_json::to_string(css).expect("JSON");
        let count = self.run(&format!("return document.querySelectorAll({css}).length"));
        count.as_u64().expect("a number")
    }

    /// Waits until some element that matches a selector has a text in it.
    pub(crate) fn wait_for_text(&self, css: &str, text: &str) {
        let [css, text] = [css, text].map(|it| serde_json::to_string(it).expect("JSON"));
        self.wait(&format!(
            "return [...document.querySelectorAll({css})].some((one) => one.innerText.includes({text}))"
        ));
    }

    /// Presses keys, wherever the focus is, once the page is all there. `key::CONTROL` is held down until the end.
    pub(crate) fn press(&self, keys: &str) {
        self.wait("return document.hasFocus()");
        let mut actions = Vec::new();
        for one in keys.chars() {
            actions.push(json!({"type": "keyDown", "value": one}));
            if !key::CONTROL.contains(one) {
                actions.push(json!({"type": "keyUp", "value": one}));
            }
        }
        let body = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.call(&Method::POST, "/actions", &body);
        self.call(&Method::DELETE, "/actions", &Value::Null);
    }

    /// What the page complained of since it was asked last: errors of scripts, and what its policy forbade.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.call(&Method::POST, "/se/log", &json!({"type": "browser"}));
        let lines = log.as_array().expect("lines").iter();
        let wrong = lines.filter(|line| line["level"] == "SEVERE");
        wrong
            .map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// A picture of the window as PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        let picture = self.call(&Method::GET, "/screenshot", &Value::Null);
        STANDARD
            .decode(picture.as_str().expect("Base64"))
            .expect("Base64")
    }
}

impl Element {
    pub(crate) fn click(&self, browser: &Browser) {
        browser.call(&Method::POST, &format!("/element/{}/click", self.0), &json!({}));
    }

    /// Writes into a field, or chooses a file.
    pub(crate) fn fill(&self, browser: &Browser, text: &str) {
        browser.call(
            &Method::POST,
            &format!("/element/{}/value", self.0),
            &json!({"text": text}),
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes Chromium too.
        let _ = self.client.delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
