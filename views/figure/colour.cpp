#include "views/figure/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>

namespace vitrine::figure {

namespace {

// Every eighth of the published 256 colours; linear between them is within 2 (viridis) and 5 (cividis) of
// 255.
constexpr std::array<std::uint32_t, 33> cividis_stops = {
    0x00224e, 0x00285b, 0x002e6a, 0x053371, 0x1a386f, 0x273e6e, 0x32436d, 0x3b496c, 0x434e6c,
    0x4b546c, 0x535a6d, 0x5a5f6e, 0x61656f, 0x686a71, 0x6f7073, 0x767676, 0x7d7c78, 0x838179,
    0x8b8778, 0x928d78, 0x9a9376, 0xa29975, 0xaaa073, 0xb3a670, 0xbbad6d, 0xc3b369, 0xccba64,
    0xd4c15f, 0xddc858, 0xe6d051, 0xefd748, 0xf8df3c, 0xfee838};
constexpr std::array<std::uint32_t, 33> viridis_stops = {
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453781, 0x424086, 0x3e4989, 0x3b528b,
    0x375b8d, 0x33638d, 0x2f6b8e, 0x2c728e, 0x297a8e, 0x26828e, 0x23898e, 0x21918c, 0x1f978b,
    0x1f9f88, 0x21a685, 0x27ad81, 0x31b57b, 0x3dbc74, 0x4cc26c, 0x5cc863, 0x6ece58, 0x81d34d,
    0x95d840, 0xaadc32, 0xc0df25, 0xd5e21a, 0xeae51a, 0xfde725};
constexpr std::array<std::uint32_t, 5> sink_stops = {0x00224e, 0x5c2a6c, 0xa93a78, 0xea5f83, 0xffc2c4};
constexpr std::array<std::uint32_t, 7> diverging_stops = {0x08306b, 0x2f79b5, 0x9dc6e0, 0xf6f6f4,
                                                          0xfdbb84, 0xdd6b1c, 0x7f2704};
constexpr std::array<std::uint32_t, 7> diverging_dark_stops = {0xc6e2f5, 0x5aa6dc, 0x2a6191, 0x26282b,
                                                               0x9a4a15, 0xf08a3c, 0xffe0c2};

std::span<const std::uint32_t> stops_of(Map map) {
    switch (map) {
    case Map::cividis:
        return cividis_stops;
    case Map::viridis:
        return viridis_stops;
    case Map::sink:
        return sink_stops;
    case Map::diverging:
        return diverging_stops;
    case Map::diverging_dark:
        return diverging_dark_stops;
    }
    return cividis_stops;
}

double linear(int channel) {
    const double s = channel / 255.0;
    return s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
}

} // namespace

QColor colour_at(Map map, double t) {
    const auto stops = stops_of(map);
    const double at = std::clamp(t, 0.0, 1.0) * static_cast<double>(stops.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), stops.size() - 2);
    return blend(QColor(stops[below]), QColor(stops[below + 1]), at - static_cast<double>(below));
}

double luminance(const QColor& colour) {
    return 0.2126 * linear(colour.red()) + 0.7152 * linear(colour.green()) + 0.0722 * linear(colour.blue());
}

double contrast(const QColor& a, const QColor& b) {
    const double la = luminance(a), lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

QColor text_on(const QColor& ground) {
    return contrast(ground, Qt::white) >= contrast(ground, Qt::black) ? Qt::white : Qt::black;
}

QColor blend(const QColor& ground, const QColor& top, double opacity) {
    const auto mix = [&](int a, int b) { return static_cast<int>(std::lround(a + (b - a) * opacity)); };
    return {mix(ground.red(), top.red()), mix(ground.green(), top.green()), mix(ground.blue(), top.blue())};
}

double ColourScale::position(double value) const {
    if (max <= min) return 0;
    if (!log) return std::clamp((value - min) / (max - min), 0.0, 1.0);
    const double low = std::log10(floor), high = std::log10(max);
    return std::clamp((std::log10(std::max(value, floor)) - low) / (high - low), 0.0, 1.0);
}

QColor ColourScale::colour(double value) const {
    return std::isnan(value) ? QColor() : colour_at(map, position(value));
}

std::vector<double> ColourScale::ticks() const {
    if (!log) return round_ticks(min, max, 5);
    std::vector<double> out;
    for (double tick = floor; tick <= max * 1.0001; tick *= 10)
        out.push_back(tick);
    return out;
}

std::vector<double> round_ticks(double min, double max, int count) {
    std::vector<double> out;
    if (!(max > min) || count < 1) return {min};
    const double raw = (max - min) / count;
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    double step = 10 * power;
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= raw * 0.999) {
            step = factor * power;
            break;
        }
    }
    for (auto i = static_cast<std::int64_t>(std::ceil(min / step - 1e-9)); i * step <= max + step * 1e-9; ++i)
        out.push_back(static_cast<double>(i) * step);
    return out;
}

} // namespace vitrine::figure
