//! The body of a reply: whole or, if it may be large, streamed in pieces.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::ports::TableError;

/// The body of a reply. It is boxed, so that a reply is small enough to be returned as an error.
#[derive(Debug)]
pub struct ReplyBody(Box<BodyKind>);

#[derive(Debug)]
enum BodyKind {
    Whole(Full<Bytes>),
    Pieces(mpsc::Receiver<Result<Bytes, TableError>>),
}

impl ReplyBody {
    /// Creates a body of pieces, which are sent as they are made. An error breaks the reply off, so that
    /// its reader sees that it is incomplete.
    #[must_use]
    pub fn pieces(pieces: mpsc::Receiver<Result<Bytes, TableError>>) -> Self {
        Self(Box::new(BodyKind::Pieces(pieces)))
    }
}

impl Default for ReplyBody {
    fn default() -> Self {
        Bytes::new().into()
    }
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self(Box::new(BodyKind::Whole(Full::new(bytes))))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = TableError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TableError>>> {
        match &mut *self.get_mut().0 {
            BodyKind::Whole(whole) => {
                let frame = ready!(Pin::new(whole).poll_frame(cx));
                Poll::Ready(frame.map(|frame| frame.map_err(|never: Infallible| match never {})))
            }
            BodyKind::Pieces(pieces) => {
                let piece = ready!(pieces.poll_recv(cx));
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &*self.0 {
            BodyKind::Whole(whole) => whole.is_end_stream(),
            BodyKind::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &*self.0 {
            BodyKind::Whole(whole) => whole.size_hint(),
            BodyKind::Pieces(_) => SizeHint::default(),
        }
    }
}
