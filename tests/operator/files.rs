//! Files: sent as a form in any order, kept with their names, downloaded from their links.

use insta::assert_json_snapshot;
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::json;

use crate::desk::{Answer, BUSINESS, Desk};

const MAX: usize = 5 * 1024 * 1024;

fn file(content: impl Into<Vec<u8>>, name: &str) -> Part {
    Part::bytes(content.into()).file_name(name.to_owned())
}

fn send(desk: &Desk, chat: &str, form: Form) -> Answer {
    Answer::to(
        desk.request(Method::POST, &format!("{chat}/files"))
            .multipart(form),
    )
}

#[test]
fn files_come_back_as_they_went() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR rest".to_vec();
    let sent = [
        ("фото упаковки.png", png),
        ("收据 №7.txt", "收据".into()),
        ("a\"b;c.bin", vec![0, 255, 0]),
    ];
    let mut form = Form::new();
    for (name, content) in &sent {
        form = form.part("file", file(content.clone(), name));
    }
    // The sender comes last: the order of the parts means nothing.
    let form = form
        .text("waitFor", "CUSTOMER")
        .text("message", "Смотрите")
        .text("sender", "SUPPORT");
    let mut message = send(&desk, &chat, form).is(201);
    assert_eq!(desk.get(&chat).is(200)["status"], "WAITING_FOR_CUSTOMER");
    assert_eq!(
        desk.get(&format!("{chat}/messages/{}", message["messageId"]))
            .is(200),
        message
    );
    for ((name, content), shown) in sent.iter().zip(message["files"].as_array_mut().expect("files")) {
        assert_eq!(shown["name"], *name);
        assert_eq!(shown["size"], content.len());
        let url = shown["url"].as_str().expect("a link").to_owned();
        let path = url
            .strip_prefix(&format!("http://{}", desk.address))
            .expect("our own address");
        let download = Answer::to(desk.anonymous(Method::GET, path));
        assert_eq!(download.status, 200);
        assert_eq!(&download.body, content, "{name}");
        assert_eq!(
            download.header("content-type"),
            shown["mediaType"].as_str().expect("a type")
        );
        shown["url"] = json!("(signed)");
    }
    assert_json_snapshot!(message);
}

#[test]
fn ten_files_of_five_mebibytes() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    let mut form = Form::new().text("sender", "CUSTOMER");
    for number in 0..10 {
        form = form.part("file", file(vec![number; MAX], &format!("{number}.bin")));
    }
    let message = send(&desk, &chat, form).is(201);
    let files = message["files"].as_array().expect("files");
    assert_eq!(files.len(), 10);
    for (number, file) in files.iter().enumerate() {
        assert_eq!(file["size"], MAX);
        assert_eq!(file["name"], format!("{number}.bin"));
    }
    assert!(message.get("message").is_none());
    assert_eq!(desk.stored_files(10), 10);
}

#[test]
fn what_is_refused_leaves_no_file_behind() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    let one = || Form::new().part("file", file("x", "x.txt"));
    let mut eleven = Form::new().text("sender", "CUSTOMER");
    for _ in 0..11 {
        eleven = eleven.part("file", file("x", "x.txt"));
    }
    for (form, problems) in [
        (one(), vec!["sender: is required"]),
        (
            one().text("sender", "PARTNER"),
            vec!["sender: must be CUSTOMER, MARKET or SUPPORT: partners write through the Partner API"],
        ),
        (
            one()
                .text("sender", "CUSTOMER")
                .text("sender", "CUSTOMER")
                .text("message", "")
                .text("chat", "7"),
            vec![
                "sender: must be given once",
                "message: must have 1 to 4096 characters, not 0",
                "chat: is not known here",
            ],
        ),
        (
            Form::new().text("sender", "CUSTOMER"),
            vec!["file: must be given 1 to 10 times"],
        ),
        (eleven, vec!["file: must be given 1 to 10 times"]),
        (
            one()
                .part("file", file("", "empty.txt"))
                .text("sender", "CUSTOMER"),
            vec!["file: must not be empty"],
        ),
        (
            one()
                .text("sender", "CUSTOMER")
                .text("message", "я".repeat(8_193)),
            vec!["message: must have at most 16384 bytes"],
        ),
    ] {
        assert_eq!(send(&desk, &chat, form).fails(400, "VALIDATION_FAILED"), problems);
    }
    let large = Form::new()
        .part("file", file("x", "x.txt"))
        .part("file", file(vec![0; MAX + 1], "huge.bin"))
        .text("sender", "CUSTOMER");
    let answer = send(&desk, &chat, large);
    assert_eq!(
        answer.fails(413, "PAYLOAD_TOO_LARGE"),
        ["file: must have at most 5 MiB"]
    );
    let hasty = one().text("sender", "MARKET").text("waitFor", "PARTNER");
    send(&desk, &chat, hasty).fails(400, "RULE_VIOLATED");
    let nowhere = one().text("sender", "CUSTOMER");
    send(&desk, &format!("{BUSINESS}/chats/77"), nowhere).fails(404, "NOT_FOUND");
    assert_eq!(desk.stored_files(0), 0);
    assert_eq!(
        desk.get(&format!("{chat}/messages")).is(200),
        json!({"items": []})
    );
}

#[test]
fn forms_that_are_none() {
    let desk = Desk::open();
    let path = format!("{}/files", desk.chat_about_order(1));
    let json = desk.post(&path, &json!({"sender": "CUSTOMER"}));
    assert_eq!(
        json.message(415, "UNSUPPORTED_MEDIA_TYPE"),
        "Content type 'application/json' is not supported: send multipart/form-data with a boundary"
    );
    for body in [
        "",
        "--x",
        "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno end",
        "--x\r\nnonsense\r\n\r\n--x--",
    ] {
        let request = desk.request(Method::POST, &path);
        let request = request.header("Content-Type", "multipart/form-data; boundary=x");
        let answer = Answer::to(request.body(body));
        assert_eq!(
            answer.fails(400, "VALIDATION_FAILED"),
            ["body: must be multipart/form-data"],
            "{body}"
        );
    }
    assert_eq!(desk.stored_files(0), 0);
}
