//! A tonic server with a service that is open to all, and one that requires a token.
//!
//! ```sh
//! cargo run --example tonic
//! ```

#![allow(clippy::print_stdout, reason = "it prints the results of calls")]
#![allow(clippy::disallowed_methods, reason = "only tests of the crate itself need another clock")]

use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use tokio::{
    net::TcpListener,
    time::{interval, sleep},
};
use tonic::{
    Request, Response, Status,
    codegen::BoxStream,
    metadata::errors::InvalidMetadataValue,
    service::LayerExt,
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tower_cognito::{CognitoLayer, Verified, Verifier, group, scope, service::GrpcStatus};
use tower_cognito_local::UserPool;

use self::shop::{NewOrder, Order, Orders, OrdersClient, OrdersServer, WatchOrders};

/// Serves both services.
///
/// # Errors
/// The server cannot be started.
pub async fn serve(
    listener: TcpListener,
    verifier: Verifier,
) -> Result<(), tonic::transport::Error> {
    // gRPC clients do not understand the default responses to rejected requests.
    let cognito = CognitoLayer::new(verifier).rejection_handler(GrpcStatus);
    let (_, health) = tonic_health::server::health_reporter();
    // `named_layer` wraps one service and keeps its name, which `add_service` needs.
    let orders = cognito.require(scope("orders/write")).named_layer(OrdersServer::new(Shop));
    Server::builder()
        .add_service(health) // open to all
        .add_service(orders)
        .serve_with_incoming(TcpIncoming::from(listener))
        .await
}

/// The implementation of the service.
#[derive(Debug)]
pub struct Shop;

#[tonic::async_trait]
impl Orders for Shop {
    type WatchStream = BoxStream<Order>;

    async fn place(&self, request: Request<NewOrder>) -> Result<Response<Order>, Status> {
        let customer = user(&request)?.username().unwrap_or("machine").to_owned();
        Ok(Response::new(Order { customer, item: request.into_inner().item }))
    }

    /// Sends an order every second until the token expires. Only for staff.
    async fn watch(
        &self,
        request: Request<WatchOrders>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let user = user(&request)?;
        group("staff")
            .check(user)
            .map_err(|denied| Status::permission_denied(denied.to_string()))?;
        let orders = stream::unfold(interval(Duration::from_secs(1)), |mut seconds| async {
            seconds.tick().await;
            let order = Order { customer: "bob".to_owned(), item: "tea".to_owned() };
            Some((Ok(order), seconds))
        });
        let expired = stream::once(async { Err(Status::unauthenticated("token_expired")) });
        let orders = orders.take_until(sleep(time_left(user))).chain(expired);
        Ok(Response::new(orders.boxed()))
    }
}

/// Returns the claims that the layer verified.
fn user<T>(request: &Request<T>) -> Result<&Verified, Status> {
    let verified = request.extensions().get();
    verified.ok_or_else(|| Status::internal("no CognitoLayer is around this service"))
}

fn time_left(user: &Verified) -> Duration {
    user.expires_at().duration_since(SystemTime::now()).unwrap_or_default()
}

/// Returns a request with a token, as a client sends it.
///
/// # Errors
/// The token contains characters that metadata cannot have.
pub fn authorized<T>(message: T, token: &str) -> Result<Request<T>, InvalidMetadataValue> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let channel = Endpoint::try_from(format!("http://{}", listener.local_addr()?))?.connect_lazy();
    tokio::spawn(serve(listener, pool.verifier().build()?));

    let mut orders = OrdersClient::new(channel);
    let tea = || NewOrder { item: "tea".to_owned() };
    println!(
        "without a token: {:?}",
        orders.place(Request::new(tea())).await.map_err(|s| s.code())
    );
    let token = pool.token("alice").sign();
    let outcome = orders.place(authorized(tea(), &token)?).await;
    println!("without the scope: {:?}", outcome.map_err(|status| status.code()));
    let token = pool.token("alice").scope("orders/write").group("staff").sign();
    println!("with it: {:?}", orders.place(authorized(tea(), &token)?).await?.into_inner());
    let mut watched = orders.watch(authorized(WatchOrders {}, &token)?).await?.into_inner();
    for _ in 0..3 {
        println!("watched: {:?}", watched.message().await?);
    }
    Ok(())
}

/// Stands in for `tonic::include_proto!("shop")`. It is a shorter form of what `tonic-prost-build` generates for two
/// methods, `Place` and `Watch`, written by hand so that this example builds without `protoc`.
#[allow(
    missing_docs,
    missing_debug_implementations,
    clippy::missing_errors_doc,
    reason = "generated code has no documentation either"
)]
pub mod shop {
    use std::{
        convert::Infallible,
        sync::Arc,
        task::{Context, Poll},
    };

    use futures_util::Stream;
    use tonic::{
        Request, Response, Status, Streaming,
        body::Body,
        codegen::{BoxFuture, Service, http, http::uri::PathAndQuery},
        transport::Channel,
    };
    use tonic_prost::ProstCodec;

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct NewOrder {
        #[prost(string, tag = "1")]
        pub item: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Order {
        #[prost(string, tag = "1")]
        pub customer: String,
        #[prost(string, tag = "2")]
        pub item: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct WatchOrders {}

    const PLACE: &str = "/shop.Orders/Place";
    const WATCH: &str = "/shop.Orders/Watch";

    #[tonic::async_trait]
    pub trait Orders: Send + Sync + 'static {
        type WatchStream: Stream<Item = Result<Order, Status>> + Send + 'static;

        async fn place(&self, request: Request<NewOrder>) -> Result<Response<Order>, Status>;

        async fn watch(
            &self,
            request: Request<WatchOrders>,
        ) -> Result<Response<Self::WatchStream>, Status>;
    }

    pub struct OrdersServer<T>(Arc<T>);

    impl<T> OrdersServer<T> {
        pub fn new(orders: T) -> Self {
            Self(Arc::new(orders))
        }
    }

    impl<T> Clone for OrdersServer<T> {
        fn clone(&self) -> Self {
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> tonic::server::NamedService for OrdersServer<T> {
        const NAME: &'static str = "shop.Orders";
    }

    impl<T: Orders> Service<http::Request<Body>> for OrdersServer<T> {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = BoxFuture<Self::Response, Infallible>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Body>) -> Self::Future {
            let orders = Arc::clone(&self.0);
            Box::pin(async move {
                Ok(match request.uri().path() {
                    PLACE => {
                        let method = tower::service_fn(move |message| {
                            let orders = Arc::clone(&orders);
                            async move { orders.place(message).await }
                        });
                        tonic::server::Grpc::new(ProstCodec::default()).unary(method, request).await
                    }
                    WATCH => {
                        let method = tower::service_fn(move |message| {
                            let orders = Arc::clone(&orders);
                            async move { orders.watch(message).await }
                        });
                        let mut grpc = tonic::server::Grpc::new(ProstCodec::default());
                        grpc.server_streaming(method, request).await
                    }
                    _ => Status::unimplemented("").into_http(),
                })
            })
        }
    }

    pub struct OrdersClient(tonic::client::Grpc<Channel>);

    impl OrdersClient {
        pub fn new(channel: Channel) -> Self {
            Self(tonic::client::Grpc::new(channel))
        }

        pub async fn place(
            &mut self,
            request: Request<NewOrder>,
        ) -> Result<Response<Order>, Status> {
            self.ready().await?;
            self.0.unary(request, PathAndQuery::from_static(PLACE), ProstCodec::default()).await
        }

        pub async fn watch(
            &mut self,
            request: Request<WatchOrders>,
        ) -> Result<Response<Streaming<Order>>, Status> {
            self.ready().await?;
            let path = PathAndQuery::from_static(WATCH);
            self.0.server_streaming(request, path, ProstCodec::default()).await
        }

        async fn ready(&mut self) -> Result<(), Status> {
            self.0.ready().await.map_err(|error| Status::unavailable(error.to_string()))
        }
    }
}
