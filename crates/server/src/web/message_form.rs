//! The form of a reply: a text, files, or both, streamed into the file store as they come.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use multer::{Constraints, Field, Multipart, SizeLimit};
use prilavok_domain::message::{InvalidText, MAX_FILE_BYTES};
use prilavok_domain::{BusinessId, ChatId, Message, MessageText, Sender};
use prilavok_pages::trouble::Problem;
use prilavok_store::files::UploadError;
use prilavok_store::{Idempotency, NewMessage, StoredFile, Surface};
use sha2::{Digest, Sha256};

use super::error::WebError;
use super::form::{CSRF_HEADER, check_token};
use super::reader::Seller;
use crate::app::{App, SharedApp};
use crate::form_file_name;
use crate::uploads::Uploads;

const MAX_FILES: usize = 10;
/// Ten files, and what is around them.
const MAX_FORM_BYTES: u64 = 10 * MAX_FILE_BYTES + 512 * 1024;
/// A text of 4,096 characters has at most so many bytes, and browsers send a line's end as two.
const MAX_TEXT_BYTES: usize = 5 * 4096;
const MAX_ONCE_BYTES: usize = 100;

const BROKEN: WebError = WebError::Invalid(Problem::Broken);

/// A form that is still to be read.
pub(super) struct MessageForm {
    boundary: String,
    headers: HeaderMap,
    body: Body,
}

impl FromRequest<SharedApp> for MessageForm {
    type Rejection = WebError;

    async fn from_request(request: Request, _: &SharedApp) -> Result<Self, WebError> {
        let (parts, body) = request.into_parts();
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        let boundary = content_type
            .and_then(|value| value.to_str().ok())
            .and_then(|text| multer::parse_boundary(text).ok());
        Ok(Self {
            boundary: boundary.ok_or(BROKEN)?,
            headers: parts.headers,
            body,
        })
    }
}

impl MessageForm {
    /// Reads the form and stores its files. Nothing is stored before the session's token was found, which our forms have
    /// in front.
    pub(super) async fn read(self, app: &App, seller: &Seller) -> Result<Reply, WebError> {
        let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(MAX_FORM_BYTES));
        let mut form = Multipart::with_constraints(self.body.into_data_stream(), self.boundary, limits);
        let header = self
            .headers
            .get(CSRF_HEADER)
            .and_then(|token| token.to_str().ok());
        let mut checked = match header {
            Some(token) => check_token(&seller.session, token).map(|()| true)?,
            None => false,
        };
        let mut reply = Reply::new(app, seller.business());
        while let Some(field) = form.next_field().await.map_err(|error| broken(&error))? {
            match field.name() {
                Some("csrf") => {
                    check_token(&seller.session, &text(field, MAX_ONCE_BYTES).await?)?;
                    checked = true;
                }
                _ if !checked => return Err(WebError::Forged),
                Some("once") => reply.once = text(field, MAX_ONCE_BYTES).await?,
                Some("text") => reply.text = text(field, MAX_TEXT_BYTES).await?.replace("\r\n", "\n"),
                Some("file") => reply.add_file(app, field).await?,
                _ => {}
            }
        }
        if checked { Ok(reply) } else { Err(WebError::Forged) }
    }
}

/// A reply whose parts have come.
pub(super) struct Reply {
    business: BusinessId,
    once: String,
    text: String,
    uploads: Uploads,
    contents: Vec<[u8; 32]>,
}

impl Reply {
    fn new(app: &App, business: BusinessId) -> Self {
        Self {
            business,
            once: String::new(),
            text: String::new(),
            uploads: Uploads::new(app.files.clone()),
            contents: Vec::new(),
        }
    }

    async fn add_file(&mut self, app: &App, mut field: Field<'_>) -> Result<(), WebError> {
        let name = form_file_name::of(&field);
        // What a form without chosen files sends: one without name and content.
        if field.file_name().unwrap_or_default().is_empty() {
            while field.chunk().await.map_err(|error| broken(&error))?.is_some() {}
            return Ok(());
        }
        if self.uploads.files().len() == MAX_FILES {
            return Err(WebError::Invalid(Problem::TooManyFiles));
        }
        let shown = name.as_str().to_owned();
        let upload = app
            .files
            .put(self.business, app.now(), field, MAX_FILE_BYTES)
            .await;
        let upload = upload.map_err(|error| match error {
            UploadError::TooLarge => WebError::Invalid(Problem::FileTooLarge(shown.clone())),
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
            return Err(WebError::Invalid(Problem::FileEmpty(shown)));
        }
        Ok(())
    }

    /// Writes the message.
    pub(super) async fn send(self, app: &SharedApp, chat: ChatId) -> Result<Message, WebError> {
        let text = match self.text.trim().is_empty() {
            true if self.uploads.files().is_empty() => return Err(WebError::Invalid(Problem::Empty)),
            true => None,
            false => Some(MessageText::new(self.text.as_str()).map_err(|error| {
                WebError::Invalid(match error {
                    InvalidText::Length(_) => Problem::TooLong,
                    InvalidText::Nul => Problem::Characters,
                })
            })?),
        };
        let once = (!self.once.is_empty()).then(|| Idempotency {
            surface: Surface::Pages,
            fingerprint: self.fingerprint(chat),
            key: self.once.clone(),
        });
        let new = NewMessage {
            sender: Sender::Partner,
            text,
            files: self.uploads.files().to_vec(),
            wait_for: None,
        };
        let written = self.uploads.send(app, self.business, chat, new, once).await;
        Ok(written.map_err(WebError::internal)??.value)
    }

    fn fingerprint(&self, chat: ChatId) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(&chat.get().to_be_bytes());
        add(self.text.as_bytes());
        for (file, content) in self.uploads.files().iter().zip(&self.contents) {
            add(file.name.as_str().as_bytes());
            add(content);
        }
        hash.finalize().into()
    }
}

async fn text(mut field: Field<'_>, most: usize) -> Result<String, WebError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > most {
            return Err(WebError::Invalid(Problem::TooLong));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| BROKEN)
}

fn broken(error: &multer::Error) -> WebError {
    match error {
        multer::Error::StreamSizeExceeded { .. } => WebError::Invalid(Problem::TooManyFiles),
        _ => BROKEN,
    }
}
