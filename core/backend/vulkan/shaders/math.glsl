// Elementary functions to about one unit in the last place: drivers promise far less.

#define infinity uintBitsToFloat(0x7F800000u)

/// e^x: x = n ln 2 + r, |r| ≤ ln 2 / 2, Taylor's polynomial for e^r. 0 below −104.
precise vec4 exp_exact(vec4 x) {
    const vec4 bounded = clamp(x, vec4(-104.0), vec4(88.7228));
    const vec4 n = roundEven(bounded * 1.44269504);
    vec4 r = fma(n, vec4(-0.693359375), bounded);
    r = fma(n, vec4(2.12194440e-4), r);
    vec4 p = vec4(1.0 / 5040.0);
    p = fma(p, r, vec4(1.0 / 720.0));
    p = fma(p, r, vec4(1.0 / 120.0));
    p = fma(p, r, vec4(1.0 / 24.0));
    p = fma(p, r, vec4(1.0 / 6.0));
    p = fma(p, r, vec4(0.5));
    p = fma(p * r, r, r) + 1.0;
    // 2^n in two factors: the result may be subnormal.
    const ivec4 half_n = ivec4(n) >> 1;
    const vec4 first = intBitsToFloat((half_n + 127) << 23);
    const vec4 second = intBitsToFloat((ivec4(n) - half_n + 127) << 23);
    vec4 y = p * first * second;
    y = mix(y, vec4(infinity), greaterThan(x, vec4(88.7228)));
    return mix(y, x, isnan(x));
}

/// Gauss's error function, after Moshier's Cephes: a polynomial below 1, 1 − e^(−x²) P(1/x²)/x above.
precise vec4 erf_exact(vec4 x) {
    const vec4 a = abs(x);
    const vec4 z = x * x;
    vec4 t = vec4(7.853861353153693e-5);
    t = fma(t, z, vec4(-8.010193625184903e-4));
    t = fma(t, z, vec4(5.188327685732524e-3));
    t = fma(t, z, vec4(-2.685381193529856e-2));
    t = fma(t, z, vec4(1.128358514861418e-1));
    t = fma(t, z, vec4(-3.761262582423300e-1));
    t = fma(t, z, vec4(1.128379165726710));
    const vec4 small = x * t;

    const vec4 q = 1.0 / max(a, vec4(1.0));
    const vec4 y = q * q;
    vec4 p = vec4(2.326819970068386e-2);
    p = fma(p, y, vec4(-1.387039388740657e-1));
    p = fma(p, y, vec4(3.687424674597105e-1));
    p = fma(p, y, vec4(-5.824733027278666e-1));
    p = fma(p, y, vec4(6.210004621745983e-1));
    p = fma(p, y, vec4(-4.944515323274145e-1));
    p = fma(p, y, vec4(3.404879937665872e-1));
    p = fma(p, y, vec4(-2.741127028184656e-1));
    p = fma(p, y, vec4(5.638259427386472e-1));
    vec4 r = vec4(-1.047766399936249e+1);
    r = fma(r, y, vec4(1.297719955372516e+1));
    r = fma(r, y, vec4(-7.495518717768503));
    r = fma(r, y, vec4(2.921019019210786));
    r = fma(r, y, vec4(-1.015265279202700));
    r = fma(r, y, vec4(4.218463358204948e-1));
    r = fma(r, y, vec4(-2.820767439740514e-1));
    r = fma(r, y, vec4(5.641895067754075e-1));
    const vec4 tail = exp_exact(-z) * q * mix(p, r, greaterThan(a, vec4(2.0)));
    return mix(small, sign(x) * (1.0 - tail), greaterThan(a, vec4(1.0)));
}

/// 1 / (1 + e^(−x))
vec4 sigmoid_exact(vec4 x) { return 1.0 / (1.0 + exp_exact(-x)); }

/// tanh x, after Cephes: a polynomial near 0, where 1 − 2 / (e^2x + 1) would lose digits.
precise vec4 tanh_exact(vec4 x) {
    const vec4 z = x * x;
    vec4 p = fma(z, vec4(-5.70498872745e-3), vec4(2.06390887954e-2));
    p = fma(p, z, vec4(-5.37397155531e-2));
    p = fma(p, z, vec4(1.33314422036e-1));
    p = fma(p, z, vec4(-3.33332819422e-1));
    const vec4 near = fma(p * z, x, x);
    const vec4 far = 1.0 - 2.0 / (exp_exact(2.0 * abs(x)) + 1.0);
    return mix(sign(x) * far, near, lessThan(abs(x), vec4(0.625)));
}

/// cap · tanh(x / cap)
precise vec4 capped(vec4 x, float cap) { return cap * tanh_exact(x / cap); }
