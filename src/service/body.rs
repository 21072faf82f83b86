use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// Response body: that of the inner service, or that of a rejection.
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
        Rejection { bytes: Bytes },
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn inner(response: Response<B>) -> Response<Self> {
        response.map(|body| Self { kind: Kind::Inner { body } })
    }

    pub(super) fn rejection(response: Response<Bytes>) -> Response<Self> {
        response.map(|bytes| Self { kind: Kind::Rejection { bytes } })
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
            KindProjection::Rejection { bytes } if bytes.is_empty() => Poll::Ready(None),
            KindProjection::Rejection { bytes } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes).into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Rejection { bytes } => bytes.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Rejection { bytes } => {
                SizeHint::with_exact(u64::try_from(bytes.remaining()).unwrap_or(u64::MAX))
            }
        }
    }
}

/// Converts without boxing the inner body again, unlike `Body::new`.
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
impl<B: Into<Self>> From<ResponseBody<B>> for axum_core::body::Body {
    fn from(body: ResponseBody<B>) -> Self {
        match body.kind {
            Kind::Inner { body } => body.into(),
            Kind::Rejection { bytes } => bytes.into(),
        }
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { kind: Kind::Inner { body: B::default() } }
    }
}
