//! The example with tonic, called by a tonic client over TCP.

use std::time::Duration;

use tokio::net::TcpListener;
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tower_cognito_local::UserPool;

use crate::support::example::tonic::{
    authorized, serve,
    shop::{NewOrder, OrdersClient, WatchOrders},
};

/// Serves the example until the test's runtime ends.
async fn channel(pool: &UserPool) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, pool.verifier().build().unwrap()));
    Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy()
}

fn failure(status: Status) -> (Code, String) {
    (status.code(), status.message().to_owned())
}

#[tokio::test]
async fn open_service_beside_a_guarded_one_needs_no_token() {
    let pool = UserPool::start().await.unwrap();
    let mut health = HealthClient::new(channel(&pool).await);
    health.check(HealthCheckRequest::default()).await.unwrap();
    // An invalid token makes no difference, since no layer is around this service.
    health.check(authorized(HealthCheckRequest::default(), "x").unwrap()).await.unwrap();
}

#[tokio::test]
async fn policy_of_a_named_layer_applies_to_its_service() {
    let pool = UserPool::start().await.unwrap();
    let mut orders = OrdersClient::new(channel(&pool).await);
    let tea = || NewOrder { item: "tea".to_owned() };
    let refused = orders.place(Request::new(tea())).await.map_err(failure);
    assert_eq!(refused.unwrap_err(), (Code::Unauthenticated, "missing_credential".to_owned()));
    for (token, expected) in [
        ("x".to_owned(), Err((Code::Unauthenticated, "malformed_token".to_owned()))),
        (
            pool.token("alice").sign(),
            Err((Code::PermissionDenied, "insufficient_scope".to_owned())),
        ),
        (pool.token("alice").scope("orders/write").sign(), Ok("tea for alice".to_owned())),
    ] {
        let outcome = orders.place(authorized(tea(), &token).unwrap()).await;
        let outcome = outcome.map(tonic::Response::into_inner).map_err(failure);
        assert_eq!(outcome.map(|order| format!("{} for {}", order.item, order.customer)), expected);
    }
}

#[tokio::test]
async fn grpc_stream_ends_with_unauthenticated_when_its_token_expires() {
    let pool = UserPool::start().await.unwrap();
    let mut orders = OrdersClient::new(channel(&pool).await);
    let writer = || pool.token("alice").scope("orders/write");
    let refused = orders.watch(authorized(WatchOrders {}, &writer().sign()).unwrap()).await;
    assert_eq!(refused.map_err(failure).unwrap_err().0, Code::PermissionDenied);
    let staff = writer().group("staff").sign();
    let watched = orders.watch(authorized(WatchOrders {}, &staff).unwrap()).await.unwrap();
    let mut watched = watched.into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().item, "tea");
    // The token is valid for an hour.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60 * 60 + 1)).await;
    // Some orders may have been sent before.
    for _ in 0..100 {
        if let Err(status) = watched.message().await.map(Option::unwrap) {
            assert_eq!(failure(status), (Code::Unauthenticated, "token_expired".to_owned()));
            return;
        }
    }
    panic!("the stream must end");
}
