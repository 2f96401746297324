//! A file as the form that the API takes: `multipart/form-data` with one part.

use crate::request::NewFile;

/// A form.
pub(crate) struct Form {
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Form {
    /// The form with a file in its only part.
    pub(crate) fn of(file: &NewFile) -> Self {
        // Random, so that no content can have it in itself.
        let boundary = format!("prilavok-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let name = escaped(&file.name);
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(&file.content);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        Self {
            content_type: format!("multipart/form-data; boundary={boundary}"),
            body,
        }
    }
}

/// A name as the HTML standard writes it in a form.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let form = Form::of(&NewFile {
            name: "фото \"1\"\r\nX: y.jpg".to_owned(),
            content: vec![0, 255].into(),
        });
        let text = String::from_utf8_lossy(&form.body);
        assert!(
            text.contains("filename=\"фото %221%22%0D%0AX: y.jpg\"\r\n"),
            "{text}"
        );
        assert!(form.body.windows(4).any(|four| four == [0, 255, b'\r', b'\n']));
    }
}
