//! What stands in the way of a start, and what is said of it.

use std::fs;

use crate::binary::{Server, run};

#[test]
fn a_taken_port_is_told() {
    let (folder, other) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let server = Server::start(folder.path());
    let taken = server.address.trim_start_matches("http://");
    let said = run(other.path(), &["serve", "--listen", taken]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains(&format!("cannot listen on {taken}")) && said.err.contains("--listen"),
        "{said:?}"
    );
}

#[test]
fn a_data_folder_has_one_server_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let second = ["serve", "--listen", "127.0.0.1:0"];
    let said = run(folder.path(), &second);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err
            .contains("another server uses the data folder ./prilavok-data")
            && said.err.contains("--data"),
        "{said:?}"
    );
    server.stop();
    Server::start(folder.path()).stop();
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("file"), "").expect("written");
    let said = run(
        folder.path(),
        &["serve", "--listen", "127.0.0.1:0", "--data", "file/data"],
    );
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("cannot write in the data folder file/data") && said.err.contains("--data"),
        "{said:?}"
    );
}

#[test]
fn another_programs_file_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("prilavok-data");
    fs::create_dir(&data).expect("made");
    fs::write(
        data.join("prilavok.sqlite"),
        "something that is no database at all",
    )
    .expect("written");
    let said = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("prilavok.sqlite"), "{said:?}");
}
