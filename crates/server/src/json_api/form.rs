//! The form of a message with files: its parts in any order, its files streamed into the file store. What
//! was stored is removed again unless a message names it.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, header};
use multer::{Constraints, Field, Multipart, SizeLimit};
use prilavok_domain::message::MAX_FILE_BYTES;
use prilavok_domain::rules::WaitFor;
use prilavok_domain::{BusinessId, ChatId, Message, MessageText, Sender, Timestamp};
use prilavok_store::files::UploadError;
use prilavok_store::{Applied, Idempotency, NewMessage, StoredFile};
use sha2::{Digest, Sha256};

use super::body::{interrupted, unsupported};
use super::error::{ApiError, Code, Problem};
use super::{fields, message_json};
use crate::app::{App, SharedApp};
use crate::form_file_name;
use crate::uploads::Uploads;

const MAX_FILES: usize = 10;
/// Ten files, and what is around them.
const MAX_FORM_BYTES: u64 = 10 * MAX_FILE_BYTES + 512 * 1024;
/// A text of 4,096 characters has at most so many bytes.
const MAX_TEXT_BYTES: usize = 4 * 4096;
/// Parts that are not files; more of them mean nothing good.
const MAX_TEXTS: usize = 20;

/// Who writes the message of a form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Author {
    /// Whom the form names.
    Named,
    /// Always the same.
    Is(Sender),
}

/// A form that is still to be read.
pub(crate) struct FormBody {
    boundary: String,
    body: Body,
}

impl FromRequest<SharedApp> for FormBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &SharedApp) -> Result<Self, ApiError> {
        let none = HeaderValue::from_static("");
        let content_type = request.headers().get(header::CONTENT_TYPE).unwrap_or(&none);
        let boundary = content_type
            .to_str()
            .ok()
            .and_then(|text| multer::parse_boundary(text).ok());
        let boundary =
            boundary.ok_or_else(|| unsupported(content_type, "multipart/form-data with a boundary"))?;
        Ok(Self {
            boundary,
            body: request.into_body(),
        })
    }
}

impl FormBody {
    /// Reads the form and stores its files.
    pub(crate) async fn read(
        self,
        app: &App,
        business: BusinessId,
        author: Author,
    ) -> Result<Form, ApiError> {
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(MAX_FORM_BYTES));
        let mut form = Multipart::with_constraints(self.body.into_data_stream(), self.boundary, limits);
        let mut parts = Parts::new(app, business);
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            match field.name() {
                Some("file") => parts.add_file(app, field).await?,
                _ => parts.add_text(field).await?,
            }
        }
        parts.complete(author)
    }
}

/// The parts of a form that came so far.
struct Parts {
    business: BusinessId,
    now: Timestamp,
    texts: Vec<(String, String)>,
    uploads: Uploads,
    contents: Vec<[u8; 32]>,
}

impl Parts {
    fn new(app: &App, business: BusinessId) -> Self {
        Self {
            business,
            now: app.now(),
            texts: Vec::new(),
            uploads: Uploads::new(app.files.clone()),
            contents: Vec::new(),
        }
    }

    async fn add_file(&mut self, app: &App, field: Field<'_>) -> Result<(), ApiError> {
        if self.uploads.files().len() == MAX_FILES {
            return Err(ApiError::field(
                "file",
                format!("must be given 1 to {MAX_FILES} times"),
            ));
        }
        let name = form_file_name::of(&field);
        let upload = app
            .files
            .put(self.business, self.now, field, MAX_FILE_BYTES)
            .await;
        let upload = upload.map_err(|error| match error {
            UploadError::TooLarge => {
                let rule = format!("must have at most {} MiB", MAX_FILE_BYTES >> 20);
                let message = format!("The file {} {rule}", name.as_str());
                ApiError::new(Code::PayloadTooLarge, message).about("file", rule)
            }
            UploadError::Content(error) => broken(&error),
            UploadError::Store(error) => error.into(),
        })?;
        self.contents.push(upload.sha256);
        self.uploads.add(StoredFile {
            object: upload.object,
            name,
            size: upload.size,
            media_type: upload.media_type,
        });
        // Only now, so that what was stored of it is removed again.
        if upload.size == 0 {
            return Err(ApiError::field("file", "must not be empty"));
        }
        Ok(())
    }

    async fn add_text(&mut self, mut field: Field<'_>) -> Result<(), ApiError> {
        let name: String = field.name().unwrap_or_default().chars().take(100).collect();
        if self.texts.len() == MAX_TEXTS {
            return Err(ApiError::field(name, "is one part too many"));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
            if bytes.len() + chunk.len() > MAX_TEXT_BYTES {
                return Err(ApiError::field(
                    name,
                    format!("must have at most {MAX_TEXT_BYTES} bytes"),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).map_err(|_| ApiError::field(name.as_str(), "must be UTF-8"))?;
        self.texts.push((name, text));
        Ok(())
    }

    fn complete(mut self, author: Author) -> Result<Form, ApiError> {
        let mut problems = Vec::new();
        let sender = match author {
            Author::Named => self.take("sender", message_json::sender, &mut problems),
            Author::Is(sender) => Some(sender),
        };
        let text = self.take(
            "message",
            |text| message_json::text(text.to_owned()),
            &mut problems,
        );
        let wait_for = match author {
            Author::Named => self.take("waitFor", fields::one_of, &mut problems),
            Author::Is(_) => None,
        };
        problems.extend(
            self.texts
                .iter()
                .map(|(name, _)| Problem::new(name.as_str(), "is not known here")),
        );
        if self.uploads.files().is_empty() {
            problems.push(Problem::new(
                "file",
                format!("must be given 1 to {MAX_FILES} times"),
            ));
        }
        match sender {
            Some(sender) if problems.is_empty() => {
                let (business, uploads, contents) = (self.business, self.uploads, self.contents);
                Ok(Form {
                    business,
                    sender,
                    text,
                    wait_for,
                    uploads,
                    contents,
                })
            }
            Some(_) => Err(ApiError::invalid(problems)),
            None => {
                if !problems.iter().any(|problem| problem.field == "sender") {
                    problems.push(Problem::new("sender", "is required"));
                }
                Err(ApiError::invalid(problems))
            }
        }
    }

    /// Takes the one text part of a name.
    fn take<T>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<T, String>,
        problems: &mut Vec<Problem>,
    ) -> Option<T> {
        let (taken, rest) = std::mem::take(&mut self.texts)
            .into_iter()
            .partition(|(it, _)| it == name);
        self.texts = rest;
        let taken: Vec<(String, String)> = taken;
        let read = match taken.as_slice() {
            [] => return None,
            [(_, text)] => read(text),
            _ => Err("must be given once".to_owned()),
        };
        read.map_err(|problem| problems.push(Problem::new(name, problem)))
            .ok()
    }
}

/// A form whose parts were all found in order.
pub(crate) struct Form {
    business: BusinessId,
    sender: Sender,
    text: Option<MessageText>,
    wait_for: Option<WaitFor>,
    uploads: Uploads,
    contents: Vec<[u8; 32]>,
}

impl Form {
    /// Equal for equal forms, however their parts were sorted.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(self.sender.as_str().as_bytes());
        add(self.text.as_ref().map_or("", MessageText::as_str).as_bytes());
        add(self.wait_for.map_or("", WaitFor::as_str).as_bytes());
        for (file, content) in self.uploads.files().iter().zip(&self.contents) {
            add(file.name.as_str().as_bytes());
            add(content);
        }
        hash.finalize().into()
    }

    /// Writes the message that names the files. Goes on when the client breaks off: a message and its
    /// files are kept together or not at all.
    pub(crate) async fn send(
        self,
        app: &SharedApp,
        chat: ChatId,
        once: Option<Idempotency>,
    ) -> Result<Applied<Message>, ApiError> {
        let new = NewMessage {
            sender: self.sender,
            text: self.text,
            files: self.uploads.files().to_vec(),
            wait_for: self.wait_for,
        };
        let written = self.uploads.send(app, self.business, chat, new, once).await;
        Ok(written.map_err(ApiError::internal)??)
    }
}

/// The error of a form that cannot be read to its end.
fn broken(error: &multer::Error) -> ApiError {
    match error {
        multer::Error::StreamSizeExceeded { limit } => {
            let rule = format!("must have at most {} KB", limit / 1024);
            ApiError::new(Code::PayloadTooLarge, format!("The form {rule}")).about("body", rule)
        }
        multer::Error::StreamReadFailed(cause) => interrupted(cause.as_ref()),
        _ => ApiError::new(
            Code::ValidationFailed,
            format!("The form cannot be read: {error}"),
        )
        .about("body", "must be multipart/form-data"),
    }
}
