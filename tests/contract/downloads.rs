//! What `payload[].url` opens, for whom, and how it is served.

use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};

use crate::counter::{Answer, Counter};

/// Sends a file into chat 1 and answers its signed path.
fn sent(counter: &Counter, name: &str, content: &[u8]) -> String {
    let form = Form::new().part("file", Part::bytes(content.to_vec()).file_name(name.to_owned()));
    let send = counter.request(Method::POST, "/v2/businesses/1/chats/file/send?chatId=1");
    Answer::of(send.multipart(form)).succeeded();
    let history = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded()
        .json();
    let messages = history["result"]["messages"].as_array().expect("a list");
    let url = messages.last().expect("a message")["payload"][0]["url"]
        .as_str()
        .expect("a file")
        .to_owned();
    url.split_once(&counter.address.to_string())
        .expect("this server")
        .1
        .to_owned()
}

fn open(counter: &Counter, path: &str, key: Option<&str>) -> Answer {
    let request = counter.anonymous(Method::GET, path);
    Answer::of(match key {
        Some(key) => request.header("Api-Key", key),
        None => request,
    })
}

#[test]
fn a_link_opens_until_it_expires_and_the_own_key_opens_it_always() {
    for counter in Counter::of_each_file_store() {
        let path = sent(&counter, "a.txt", b"content");
        let own = Some(counter.keys.read_only.as_str());
        let lives = i64::from(counter.app.settings.files.link_ttl_seconds) * 1000;
        counter.clock.advance(lives - 1000);
        assert_eq!(open(&counter, &path, None).body, "content");
        // Whoever may have it by the link need not have a key that works.
        assert_eq!(open(&counter, &path, Some("nonsense")).body, "content");
        counter.clock.advance(1000);
        open(&counter, &path, None).refused(403, "Access denied");
        assert_eq!(open(&counter, &path, own).body, "content");
        open(&counter, &path, Some(&counter.keys.other)).refused(403, "Access denied");
        open(&counter, &path, Some(&counter.keys.pricing)).refused(403, "Access denied");
        open(&counter, &path, Some(&counter.keys.revoked)).refused(401, "Api-Key token is revoked");
        // What was changed is no link any more, and a key does not need one.
        let changed = path.replace("signature=", "signature=0");
        open(&counter, &changed, None).refused(403, "Access denied");
        assert_eq!(open(&counter, &changed, own).body, "content");
    }
}

#[test]
fn a_file_is_served_so_that_nothing_in_it_runs() {
    for counter in Counter::of_each_file_store() {
        let path = sent(
            &counter,
            "чек \"1\".html",
            b"<html><script>alert(1)</script></html>",
        );
        let answer = open(&counter, &path, None);
        assert_eq!(answer.status, 200);
        for (header, value) in [
            ("content-type", "text/html"),
            ("content-length", "38"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
        ] {
            assert_eq!(answer.header(header), value, "{header}");
        }
        let disposition = answer.header("content-disposition");
        assert!(
            disposition.starts_with("attachment; filename=\"___"),
            "{disposition}"
        );
        assert!(
            disposition.contains("filename*=UTF-8''%D1%87%D0%B5%D0%BA%20"),
            "{disposition}"
        );
        let head = Answer::of(counter.anonymous(Method::HEAD, &path));
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.header("content-length"), "38");
    }
}

#[test]
fn what_a_file_is_called_does_not_decide_what_it_is() {
    for counter in Counter::of_each_file_store() {
        for (name, content, media_type) in [
            ("photo.html", &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            ("photo.png", b"just text", "text/plain; charset=utf-8"),
            ("photo.jpg", b"\0\x01\x02\x03", "application/octet-stream"),
        ] {
            let path = sent(&counter, name, content);
            assert_eq!(
                open(&counter, &path, None).header("content-type"),
                media_type,
                "{name}"
            );
        }
    }
}
