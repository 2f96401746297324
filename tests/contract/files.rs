//! sendFileToChat.

use std::fmt::Write as _;

use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};

use crate::counter::{Answer, Counter};

const SEND: &str = "/v2/businesses/1/chats/file/send?chatId=1";
const MIB: usize = 1024 * 1024;

fn part(name: &str, content: Vec<u8>) -> Form {
    Form::new().part("file", Part::bytes(content).file_name(name.to_owned()))
}

fn send(counter: &Counter, form: Form, key: Option<&str>) -> Answer {
    let request = counter.request(Method::POST, SEND).multipart(form);
    Answer::of(match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    })
}

fn payloads(counter: &Counter) -> Vec<serde_json::Value> {
    let history = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded()
        .json();
    let messages = history["result"]["messages"].as_array().expect("a list").iter();
    messages
        .filter_map(|message| message["payload"].get(0).cloned())
        .collect()
}

#[test]
fn a_file_becomes_a_message() {
    for counter in Counter::of_each_file_store() {
        let answer = send(
            &counter,
            part("фото возврата.jpg", b"\xff\xd8\xff\xe0 a photo".to_vec()),
            None,
        );
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"OK"}"#));
        insta::assert_snapshot!(
            "a_file_becomes_a_message",
            counter
                .get("/v2/businesses/1/chats/message?chatId=1&messageId=5")
                .snapshot()
        );
    }
}

#[test]
fn five_mebibytes_are_taken_and_no_more() {
    for counter in Counter::of_each_file_store() {
        send(&counter, part("big.bin", vec![7; 5 * MIB]), None).succeeded();
        assert_eq!(payloads(&counter)[0]["size"], 5 * MIB);
        let too_big =
            "The request is too big: Maximum allowed request size must be less than '5120' KB, but passed";
        for (size, shown) in [(5 * MIB + 1, "5.01"), (6 * MIB, "6.01"), (12 * MIB, "12.01")] {
            let answer = send(&counter, part("big.bin", vec![7; size]), None);
            answer.refused(400, &format!("{too_big} '{shown}' MB"));
        }
        assert_eq!((payloads(&counter).len(), counter.stored_files()), (1, 1));
    }
}

#[test]
fn forms_without_a_file() {
    let counter = Counter::open();
    let missing = "Required request parameter 'file' is not present";
    send(&counter, Form::new().text("name", "value"), None).refused(400, missing);
    send(&counter, part("empty.txt", Vec::new()), None)
        .refused(400, "'file' must not be empty (rejected value: '')");
    counter
        .post(SEND, "{}")
        .refused(415, "Content type 'application/json' not supported");
    let bare = counter
        .request(Method::POST, SEND)
        .header("Content-Type", "multipart/form-data")
        .body("x");
    Answer::of(bare).refused(415, "Content type 'multipart/form-data' not supported");
    assert_eq!(counter.stored_files(), 0);
}

#[test]
fn other_parts_are_passed_over() {
    let counter = Counter::open();
    let form = Form::new()
        .text("comment", "x".repeat(1000))
        .part("file", Part::bytes(b"abc".to_vec()).file_name("a.txt"));
    send(&counter, form.text("after", "y"), None).succeeded();
    assert_eq!(payloads(&counter)[0]["size"], 3);
}

#[test]
fn a_form_that_breaks_off_leaves_nothing_behind() {
    for counter in Counter::of_each_file_store() {
        let mut form = String::new();
        write!(
            form,
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nabc"
        )
        .expect("text");
        for form in [
            form.clone(),
            format!("{form}\r\n--b\r\nContent-Dis"),
            "--b\r\n".to_owned(),
            "no form at all".to_owned(),
        ] {
            let request = counter
                .request(Method::POST, SEND)
                .header("Content-Type", "multipart/form-data; boundary=b");
            Answer::of(request.body(form.clone())).refused(400, "Unexpected end of content");
            let head = format!(
                "POST {SEND} HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n\r\n",
                counter.keys.all
            );
            let answer = counter.raw_and_no_more(format!("{head}{form}").as_bytes());
            assert!(
                answer.contains("400") && answer.contains("Unexpected end of content"),
                "{answer}"
            );
        }
        assert_eq!((payloads(&counter).len(), counter.stored_files()), (0, 0));
    }
}

#[test]
fn names_are_kept_and_made_harmless() {
    let counter = Counter::open();
    for (disposition, kept) in [
        ("filename=\"收据.pdf\"", "收据.pdf"),
        ("filename*=UTF-8''%D1%87%D0%B5%D0%BA.pdf", "чек.pdf"),
        (
            "filename=\"fallback.pdf\"; filename*=UTF-8''%D1%87%D0%B5%D0%BA.pdf",
            "чек.pdf",
        ),
        ("filename=\"../../etc/passwd\"", "passwd"),
        ("filename=\"a %22b%22 100%.txt\"", "a \"b\" 100%.txt"),
        ("filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"),
        ("filename=\"a;b, c=d.txt\"", "a;b, c=d.txt"),
        (
            "filename=\"a; filename*=UTF-8''b.txt\"",
            "a; filename*=UTF-8''b.txt",
        ),
        ("filename=bare.txt", "bare.txt"),
        ("filename=\"\"", "file"),
        ("x=\"y\"", "file"),
    ] {
        let form = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; {disposition}\r\n\r\nabc\r\n--b--\r\n"
        );
        let request = counter
            .request(Method::POST, SEND)
            .header("Content-Type", "multipart/form-data; boundary=b");
        Answer::of(request.body(form)).succeeded();
        let payloads = payloads(&counter);
        assert_eq!(payloads.last().expect("a file")["name"], kept, "{disposition}");
    }
}

#[test]
fn a_file_for_a_chat_that_cannot_take_it_is_not_kept() {
    for counter in Counter::of_each_file_store() {
        let to = |chat: i64| {
            let path = format!("/v2/businesses/1/chats/file/send?chatId={chat}");
            Answer::of(
                counter
                    .request(Method::POST, &path)
                    .multipart(part("a.txt", b"abc".to_vec())),
            )
        };
        to(99).refused(404, "Can't find chat by id: '99'");
        let finish = prilavok_store::ChatChange::Finish;
        let (business, chat) = (crate::population::business(1), crate::population::chat(1));
        counter
            .block_on(
                counter
                    .app
                    .store
                    .change_chat(business, chat, finish, None, counter.now()),
            )
            .expect("finished");
        to(1).refused(400, "The chat is finished: PARTNER cannot write to it");
        assert_eq!(counter.stored_files(), 0);
    }
}

#[test]
fn a_file_that_is_sent_again_with_its_key_is_kept_once() {
    for counter in Counter::of_each_file_store() {
        for _ in 0..2 {
            send(&counter, part("a.txt", b"abc".to_vec()), Some("file-1")).succeeded();
        }
        assert_eq!((payloads(&counter).len(), counter.stored_files()), (1, 1));
        let reused = "The Idempotency-Key was used for another request within the last 24 hours";
        send(&counter, part("a.txt", b"abd".to_vec()), Some("file-1")).refused(400, reused);
        send(&counter, part("b.txt", b"abc".to_vec()), Some("file-1")).refused(400, reused);
        assert_eq!((payloads(&counter).len(), counter.stored_files()), (1, 1));
    }
}

#[test]
fn links_begin_where_clients_reach_the_server() {
    let counter = Counter::with(|settings| settings.public_url = Some("https://chat.example.com".to_owned()));
    send(&counter, part("a.txt", b"abc".to_vec()), None).succeeded();
    let url = payloads(&counter)[0]["url"].as_str().expect("text").to_owned();
    assert!(url.starts_with("https://chat.example.com/files/1/"), "{url}");
}
