/*
 * A door from Node to one native build of NTRU (PQClean's), for measurements alone.
 *
 * Inputs and outputs lie in static buffers that JavaScript sees as typed arrays, and each operation is called `count`
 * times in one call from JavaScript: so neither copies nor the way through Node-API are in the time, as they are not
 * when an export of a WebAssembly module works on its own memory.
 *
 * Compiled once for each set with -DPREFIX=PQCLEAN_<SET>_<VARIANT>_; api.h, params.h and poly.h are the variant's.
 */
#include <node_api.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "params.h"
#include "poly.h"
#include "randombytes.h"

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)
#define NTRU(name) JOIN(PREFIX, name)

#define SEED_BYTES (NTRU_SAMPLE_FG_BYTES + NTRU_PRFKEYBYTES)
#define ALIGNED __attribute__((aligned(64)))

static ALIGNED uint8_t seed[SEED_BYTES];
static ALIGNED uint8_t public_key[NTRU_PUBLICKEYBYTES];
static ALIGNED uint8_t secret_key[NTRU_SECRETKEYBYTES];
static ALIGNED uint8_t ciphertext[NTRU_CIPHERTEXTBYTES];
static ALIGNED uint8_t shared_secret[NTRU_SHAREDKEYBYTES];
static ALIGNED poly left, right, product;

/* How much of the seed the operation has taken. */
static size_t taken;

/* What the KEM draws its randomness with (a macro in randombytes.h gives it PQClean's name): the given seed, in order. */
int randombytes(uint8_t *output, size_t length) {
  if (length > sizeof seed - taken) {
    abort();
  }
  memcpy(output, seed + taken, length);
  taken += length;
  return 0;
}

static uint32_t count_of(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t arguments = 1;
  uint32_t count = 0;
  if (napi_get_cb_info(env, info, &arguments, &argument, NULL, NULL) != napi_ok ||
      napi_get_value_uint32(env, argument, &count) != napi_ok) {
    napi_throw_type_error(env, NULL, "The number of turns is missing.");
  }
  return count;
}

#define REPEAT(name, call)                                      \
  static napi_value name(napi_env env, napi_callback_info info) { \
    for (uint32_t turns = count_of(env, info); turns > 0; turns--) { \
      taken = 0;                                                \
      call;                                                     \
    }                                                           \
    return NULL;                                                \
  }

REPEAT(key_pair, NTRU(crypto_kem_keypair)(public_key, secret_key))
REPEAT(encapsulate, NTRU(crypto_kem_enc)(ciphertext, shared_secret, public_key))
REPEAT(decapsulate, NTRU(crypto_kem_dec)(shared_secret, ciphertext, secret_key))
REPEAT(multiply, NTRU(poly_Rq_mul)(&product, &left, &right))

static napi_status put_buffer(napi_env env, napi_value exports, const char *name, void *data, size_t bytes) {
  napi_value buffer, array;
  napi_status status = napi_create_external_arraybuffer(env, data, bytes, NULL, NULL, &buffer);
  if (status == napi_ok) {
    status = napi_create_typedarray(env, napi_uint8_array, bytes, buffer, 0, &array);
  }
  return status == napi_ok ? napi_set_named_property(env, exports, name, array) : status;
}

static napi_status put_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
  return status == napi_ok ? napi_set_named_property(env, exports, name, function) : status;
}

NAPI_MODULE_INIT() {
  if (put_buffer(env, exports, "seed", seed, sizeof seed) != napi_ok ||
      put_buffer(env, exports, "publicKey", public_key, sizeof public_key) != napi_ok ||
      put_buffer(env, exports, "secretKey", secret_key, sizeof secret_key) != napi_ok ||
      put_buffer(env, exports, "ciphertext", ciphertext, sizeof ciphertext) != napi_ok ||
      put_buffer(env, exports, "sharedSecret", shared_secret, sizeof shared_secret) != napi_ok ||
      put_buffer(env, exports, "left", left.coeffs, sizeof left.coeffs) != napi_ok ||
      put_buffer(env, exports, "right", right.coeffs, sizeof right.coeffs) != napi_ok ||
      put_buffer(env, exports, "product", product.coeffs, sizeof product.coeffs) != napi_ok ||
      put_function(env, exports, "generateKeyPair", key_pair) != napi_ok ||
      put_function(env, exports, "encapsulate", encapsulate) != napi_ok ||
      put_function(env, exports, "decapsulate", decapsulate) != napi_ok ||
      put_function(env, exports, "multiply", multiply) != napi_ok) {
    napi_throw_error(env, NULL, "The native module cannot be set up.");
  }
  return exports;
}
