use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of the wrapped service, or that of a refusal.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Refusal { bytes: Bytes },
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn inner(response: Response<B>) -> Response<Self> {
        response.map(|body| Self { kind: Kind::Inner { body } })
    }

    pub(super) fn refusal(response: Response<Bytes>) -> Response<Self> {
        response.map(|bytes| Self { kind: Kind::Refusal { bytes } })
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: From<Bytes>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Refusal { bytes } if bytes.is_empty() => Poll::Ready(None),
            KindProjection::Refusal { bytes } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes).into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Refusal { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Refusal { bytes } => {
                SizeHint::with_exact(u64::try_from(bytes.remaining()).unwrap_or(u64::MAX))
            }
        }
    }
}

/// The service's body is handed on as it is; `Body::new` would box it again.
#[cfg(feature = "axum")]
impl<B: Into<Self>> From<ResponseBody<B>> for axum_core::body::Body {
    fn from(body: ResponseBody<B>) -> Self {
        match body.kind {
            Kind::Inner { body } => body.into(),
            Kind::Refusal { bytes } => bytes.into(),
        }
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { kind: Kind::Inner { body: B::default() } }
    }
}
