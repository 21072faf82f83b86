// `cargo run --example web` sets these variables.
const env = import.meta.env;

export const poolEndpoint = env.VITE_POOL_ENDPOINT ?? 'http://127.0.0.1:9229';
export const poolId = env.VITE_POOL_ID ?? 'us-east-1_Local0001';
export const clientId = env.VITE_CLIENT_ID ?? 'localclient0000000000000000';
export const issuer = `${poolEndpoint}/${poolId}`;
