//! The example with tonic, called by a tonic client over TCP.

use std::time::Duration;

use tokio::net::TcpListener;
use tonic::{
    Code, Request, Status,
    service::LayerExt,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};
use tower_cognito::{CognitoLayer, require, scope, service::GrpcStatus};
use tower_cognito_local::UserPool;

use crate::support::example::tonic::{
    Shop, authorized, serve,
    shop::{NewOrder, OrdersClient, OrdersServer, WatchOrders},
};

/// Serves the example until the test's runtime ends.
async fn channel(pool: &UserPool) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, pool.verifier().build().unwrap()));
    Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy()
}

fn failure(status: &Status) -> (Code, String) {
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
    let refused = orders.place(Request::new(tea())).await.map_err(|status| failure(&status));
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
        let outcome = outcome.map(tonic::Response::into_inner).map_err(|status| failure(&status));
        assert_eq!(outcome.map(|order| format!("{} for {}", order.item, order.customer)), expected);
    }
}

#[tokio::test]
async fn grpc_stream_ends_with_unauthenticated_when_its_token_expires() {
    let pool = UserPool::start().await.unwrap();
    let mut orders = OrdersClient::new(channel(&pool).await);
    let writer = || pool.token("alice").scope("orders/write");
    let refused = orders.watch(authorized(WatchOrders {}, &writer().sign()).unwrap()).await;
    assert_eq!(refused.map_err(|status| failure(&status)).unwrap_err().0, Code::PermissionDenied);
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
            assert_eq!(failure(&status), (Code::Unauthenticated, "token_expired".to_owned()));
            return;
        }
    }
    panic!("the stream must end");
}

/// Calls a service that the server does not have.
async fn call_unknown(channel: Channel, token: Option<&str>) -> Code {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let message = HealthCheckRequest::default();
    let request = match token {
        Some(token) => authorized(message, token).unwrap(),
        None => Request::new(message),
    };
    let path = http::uri::PathAndQuery::from_static("/none.None/Call");
    let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
    client.unary(request, path, codec).await.unwrap_err().code()
}

#[tokio::test]
async fn layer_of_a_server_protects_all_services_and_named_policies_one() {
    let pool = UserPool::start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder()
        .layer(cognito.rejection_handler(GrpcStatus))
        .add_service(health)
        .add_service(require(scope("orders/write")).named_layer(OrdersServer::new(Shop)));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    let guarded = Endpoint::try_from(format!("http://{address}")).unwrap().connect_lazy();
    let user = pool.token("alice").sign();

    let mut health = HealthClient::new(guarded.clone());
    let refused = health.check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    health.check(authorized(HealthCheckRequest::default(), &user).unwrap()).await.unwrap();

    let mut orders = OrdersClient::new(guarded.clone());
    let tea = || NewOrder { item: "tea".to_owned() };
    let refused = orders.place(authorized(tea(), &user).unwrap()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let writer = pool.token("alice").scope("orders/write").sign();
    orders.place(authorized(tea(), &writer).unwrap()).await.unwrap();

    // Named layers leave calls of unknown services to the server.
    let named = channel(&pool).await;
    assert_eq!(call_unknown(guarded.clone(), None).await, Code::Unauthenticated);
    assert_eq!(call_unknown(guarded, Some(&user)).await, Code::Unimplemented);
    assert_eq!(call_unknown(named, None).await, Code::Unimplemented);
}
