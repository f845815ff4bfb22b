/* SPDX-License-Identifier: MIT */
/* Elementary functions that compilers can put into vector loops. Float; within 2 units in the last
   place of the true value; no errno. */
#ifndef DL_MATH_SCALAR_H
#define DL_MATH_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef DL_DOUBLE /* the gradient checks compile the same sources in double */

static inline double dl_exp(double x) {
    return exp(x);
}
static inline double dl_tanh(double x) {
    return tanh(x);
}
static inline double dl_erf(double x) {
    return erf(x);
}
static inline double dl_log1p(double x) {
    return log1p(x);
}

#else

/* e^r for r = x - n ln 2, |r| <= ln 2 / 2, by Cephes' polynomial. */
static inline float dl_exp_reduced(float x, float n) {
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * r * r + r + 1.0f;
}

/* e^x by 2^n · e^r. Below -87.3 the result is 0
   to within float's smallest normal number, above 88.7 it is infinite; NaN stays NaN. */
static inline float dl_exp(float x) {
    float clamped = x > 88.72284f ? 88.72284f : x < -87.33654f ? -87.33654f : x;
    float n = rintf(clamped * 1.44269504f);
    float p = dl_exp_reduced(clamped, n);
    /* 2^n in two halves, since 2^128 is not a float */
    int32_t half = (int32_t)n / 2, rest = (int32_t)n - half;
    uint32_t low = (uint32_t)(half + 127) << 23, high = (uint32_t)(rest + 127) << 23;
    float a, b;
    memcpy(&a, &low, sizeof a);
    memcpy(&b, &high, sizeof b);
    float y = p * a * b;
    y = x > 88.72284f ? INFINITY : y;
    y = x < -87.33654f ? 0.0f : y;
    return x == x ? y : x;
}

/* e^x for x from 0 to 80, without what dl_exp does at the ends of its range. */
static inline float dl_exp_inside(float x) {
    float n = rintf(x * 1.44269504f);
    float p = dl_exp_reduced(x, n);
    uint32_t power = (uint32_t)((int32_t)n + 127) << 23;
    float scale;
    memcpy(&scale, &power, sizeof scale);
    return p * scale;
}

/* Least-squares polynomials at Chebyshev's nodes: of erf(x) / x - 1 in x^2 below 1, and of
   -ln(1 - erf(x)) from 1 to 4, where erf is 1 to a float. NaN stays NaN. */
static inline float dl_erf(float x) {
    float z = fabsf(x), s = x * x, t = z > 4.0f ? 4.0f : z;
    float p = -9.63499132922152e-06f;
    p = p * s + 0.00011254641140112653f;
    p = p * s + -0.0008482507546432316f;
    p = p * s + 0.0052209231071174145f;
    p = p * s + -0.026865392923355103f;
    p = p * s + 0.11283782124519348f;
    p = p * s + -0.37612637877464294f;
    p = p * s + 0.12837916612625122f;
    float small = p * x + x;
    float q = -3.4946501159538457e-07f;
    q = q * t + 2.66681508946931e-05f;
    q = q * t + -0.0004717842966783792f;
    q = q * t + 0.0043088351376354694f;
    q = q * t + -0.02542717382311821f;
    q = q * t + 0.10870722681283951f;
    q = q * t + 0.6329863667488098f;
    q = q * t + 1.1296844482421875f;
    q = q * t + -0.000208761848625727f;
    float large = 1.0f - dl_exp(-q);
    large = x < 0 ? -large : large;
    return z < 1.0f ? small : large;
}

/* ln(1 + x) for x from 0 to 1: the series of 2 artanh(x / (2 + x)). */
static inline float dl_log1p(float x) {
    float s = x / (2.0f + x), z = s * s;
    float p = 1.0f / 15;
    p = p * z + 1.0f / 13;
    p = p * z + 1.0f / 11;
    p = p * z + 1.0f / 9;
    p = p * z + 1.0f / 7;
    p = p * z + 1.0f / 5;
    p = p * z + 1.0f / 3;
    return x - s * (x - 2.0f * z * p); /* 2 s is x - s x, which rounds less */
}

static inline float dl_tanh(float x) {
    float z = fabsf(x), s = x * x;
    float p = -5.70498872745e-3f; /* |x| < 0.625: Cephes' odd polynomial */
    p = p * s + 2.06390887954e-2f;
    p = p * s + -5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s + -3.33332819422e-1f;
    float small = p * s * x + x;
    float twice = z > 10.0f ? 20.0f : 2.0f * z; /* from 9.02 on tanh is 1 to a float; NaN stays */
    float large = 1.0f - 2.0f / (dl_exp_inside(twice) + 1.0f);
    large = x < 0 ? -large : large;
    return z < 0.625f ? small : large;
}

#endif

/* 1 / (1 + e^-x); exact 0 and 1 at the far ends. */
static inline float dl_sigmoid(float x) {
    return 1.0f / (1.0f + dl_exp(-x));
}

/* ln(1 + e^x) without overflow. */
static inline double dl_softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

#endif
