//! What stands in the way of a start, and what is said of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::binary::{Server, printed, run};

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

#[test]
fn other_users_of_the_machine_cannot_read_what_is_stored() {
    let mode = |path: &Path| {
        let metadata = fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    let (served, made) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    Server::start(served.path()).stop();
    printed(made.path(), &["operator-token", "create"]);
    for folder in [&served, &made] {
        assert_eq!(mode(&folder.path().join("prilavok-data")), 0o700);
    }
    printed(made.path(), &["backup", "copy"]);
    assert_eq!(mode(&made.path().join("copy")), 0o600);

    // A folder that somebody made for it is theirs to open.
    let shared = tempfile::tempdir().expect("a folder");
    let data = shared.path().join("prilavok-data");
    fs::create_dir(&data).expect("made");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).expect("set");
    Server::start(shared.path()).stop();
    assert_eq!(mode(&data), 0o750);
}
