//! Forms with files, sent to a whole server: the partner's, and the operator's.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::{FutureExt, stream};
use multer::Multipart;
use prilavok_domain::FileName;
use serde_json::Value;

use crate::choose;
use crate::shop::{self, Answer, Shop};

/// The boundary is `b`; the second byte says in how large pieces the form arrives.
pub fn check(data: &[u8]) {
    let Some((which, [piece, form @ ..])) = choose(data, 2) else {
        return;
    };
    let surface = if which == 0 {
        Surface::Partner
    } else {
        Surface::Operator
    };
    shop::with(|shop| {
        let before = shop.files();
        let whole = send(shop, surface, form, form.len().max(1));
        let kept = surface.kept(&whole);
        if kept == 0 {
            surface.refused(&whole);
        }
        assert_eq!(shop.files_once(before + kept), before + kept, "{whole:?}");
        if let Surface::Operator = surface
            && kept > 0
        {
            files_are(shop, &whole.json()["files"], form);
        }
        // How a form is cut on its way changes nothing.
        let cut = send(shop, surface, form, usize::from(*piece).max(1));
        assert_eq!(surface.kept(&cut), kept, "whole: {whole:?}, cut: {cut:?}");
        if kept == 0 {
            assert_eq!(surface.told(&cut), surface.told(&whole));
        }
        assert_eq!(shop.files_once(before + 2 * kept), before + 2 * kept, "{cut:?}");
    });
}

#[derive(Debug, Clone, Copy)]
enum Surface {
    Partner,
    Operator,
}

impl Surface {
    /// How many files a message was made of.
    fn kept(self, answer: &Answer) -> usize {
        match (self, answer.status) {
            (Self::Partner, StatusCode::OK) => 1,
            (Self::Operator, StatusCode::CREATED) => answer.json()["files"].as_array().map_or(0, Vec::len),
            _ => 0,
        }
    }

    fn refused(self, answer: &Answer) {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        match self {
            Self::Partner => answer.partner_refusal(),
            Self::Operator => answer.operator_refusal(),
        };
    }

    fn told(self, answer: &Answer) -> Value {
        match self {
            Self::Partner => answer.json()["errors"].clone(),
            Self::Operator => answer.json()["error"]["details"].clone(),
        }
    }
}

fn send(shop: &mut Shop, surface: Surface, form: &[u8], piece: usize) -> Answer {
    let pieces: Vec<_> = form
        .chunks(piece)
        .map(|part| Ok::<_, Infallible>(part.to_vec()))
        .collect();
    let request = Request::post(match surface {
        Surface::Partner => "/v2/businesses/1/chats/file/send?chatId=1",
        Surface::Operator => "/operator/v1/businesses/1/chats/1/files",
    });
    let request = match surface {
        Surface::Partner => request.header("api-key", &shop.keys.seller),
        Surface::Operator => request.header(header::AUTHORIZATION, format!("Bearer {}", shop.keys.operator)),
    };
    let request = request
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from_stream(stream::iter(pieces)));
    shop.answer(request.expect("a request"))
}

/// The message has the form's files: as many, as large, with names that are within the rules.
fn files_are(shop: &mut Shop, files: &Value, form: &[u8]) {
    let sizes = async {
        let content = stream::iter([Ok::<_, Infallible>(form.to_vec())]);
        let (mut form, mut sizes) = (Multipart::new(content, "b"), Vec::new());
        while let Some(field) = form.next_field().await.expect("a form") {
            if field.name() == Some("file") {
                sizes.push(field.bytes().await.expect("a file").len());
            }
        }
        sizes
    };
    let sizes = sizes.now_or_never().expect("ready");
    let files = files.as_array().expect("a list");
    assert_eq!(files.len(), sizes.len(), "{files:?}");
    for (file, size) in files.iter().zip(sizes) {
        assert_eq!(file["size"], size, "{file}");
        let name = file["name"].as_str().expect("a name");
        assert_eq!(FileName::from_client(name).as_str(), name);
        let url = file["url"].as_str().expect("a link");
        let path = url.find("/files/").map(|at| &url[at..]).expect("a path");
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = shop.answer(request);
        assert_eq!(
            (answer.status, answer.body.len()),
            (StatusCode::OK, size),
            "{file}"
        );
        assert_eq!(answer.content_type, file["mediaType"].as_str().expect("a type"));
    }
}
