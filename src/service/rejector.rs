use bytes::Bytes;
use http::{Extensions, Response};

use crate::{
    error::AuthError,
    service::context::{RejectionResponder, responder_of},
};

/// Writes rejections of your own code in the format of the layer around it, for code whose response does not reach the
/// layer unchanged, such as the methods of tonic.
///
/// Other code returns a [`Refusal`](crate::Refusal), which the layer writes in its format.
///
/// A method of tonic returns a status. With the handler [`GrpcStatus`](crate::service::GrpcStatus) of the layer, the
/// response has its code and message:
///
/// ```
/// use tonic::{Request, Status};
/// use tower_cognito::{Policy, Verified, service::Rejector};
///
/// fn check<T>(policy: &Policy, request: &Request<T>) -> Result<(), Status> {
///     let rejector = Rejector::of(request.extensions());
///     let user = request.extensions().get::<Verified>().ok_or(Status::unauthenticated(""))?;
///     policy.check(user).map_err(|denied| {
///         let response = rejector.reject(denied);
///         Status::from_header_map(response.headers())
///             .unwrap_or_else(|| Status::permission_denied("rejected"))
///     })
/// }
/// ```
///
/// The rejection is logged like those of the layer. A `Status` keeps no extensions, so outer layers do not find the
/// [`AuthError`] in the response of a tonic method. They do if [`require_with`](crate::require_with()) or
/// [`require_async`](crate::require_async()) around the service rejects the request.
#[derive(Debug, Clone)]
pub struct Rejector(RejectionResponder);

impl Rejector {
    /// Returns the rejector of a request. Without a `CognitoLayer` around the code, it writes the default format.
    pub fn of(extensions: &Extensions) -> Self {
        Self(responder_of(extensions))
    }

    /// Returns the response to a rejected request: status, challenge and body, with the [`AuthError`] in its
    /// extensions. Takes an [`AuthError`], a [`Refusal`](crate::Refusal) or a [`Denied`](crate::policy::Denied).
    pub fn reject(&self, reason: impl Into<AuthError>) -> Response<Bytes> {
        self.0.respond(reason.into())
    }
}
