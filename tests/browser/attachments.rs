//! Files: chosen, dropped, too large, shown.

use std::io::Write;

use crate::browser::{Browser, Reader};
use crate::market::Market;

/// A picture of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

#[test]
fn files_are_chosen_or_dropped_and_sent_with_a_text() {
    let market = Market::open();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("чек'&\".png");
    let mut file = std::fs::File::create(&path).expect("a file");
    file.write_all(PNG).expect("written");
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.run("document.querySelector('.attach input').style.opacity = 1");
    browser
        .find(".attach input")
        .fill(&browser, path.to_str().expect("UTF-8"));
    browser.wait_for_text(".attached", "чек'&\".png");
    browser.run(
        "const files = new DataTransfer(); files.items.add(new File(['текст'], '<img src=x onerror=alert(1)>.txt'));
         document.querySelector('.log').dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}))",
    );
    browser.wait("return document.querySelectorAll('.attached li').length === 2");
    browser.find("textarea").fill(&browser, "Вот чек");
    browser.find(".reply .actions > button").click(&browser);
    browser.wait_for_text(
        ".message.own:not(.pending) .file",
        "<img src=x onerror=alert(1)>.txt",
    );
    assert_eq!(browser.count(".attached li"), 0);
    browser.wait("const picture = document.querySelector('.message.own:last-child .file img'); return picture.complete && picture.naturalWidth === 1");
    let last = market.messages(1).pop().expect("a message");
    assert_eq!(last["message"], "Вот чек");
    assert_eq!(last["files"].as_array().map(Vec::len), Some(2), "{last}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_file_that_is_too_large_is_refused_in_words() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.run(
        "const files = new DataTransfer(); files.items.add(new File([new Uint8Array(5 * 1024 * 1024 + 1)], 'film.mp4'));
         document.querySelector('.log').dispatchEvent(new DragEvent('drop', {dataTransfer: files, bubbles: true, cancelable: true}))",
    );
    browser.wait_for_text(
        "[data-reply-alert]",
        "A file may have at most 5 MB. Too large: film.mp4",
    );
    assert_eq!(browser.count(".attached li"), 0);
}
