#include "views/figure/theme.h"

#include <QFontDatabase>

namespace vitrine::figure {

QFont Theme::font(int pixels, bool bold) const {
    QFont out(words);
    out.setPixelSize(pixels);
    out.setBold(bold);
    return out;
}

QFont Theme::fixed_font(int pixels) const {
    QFont out(fixed);
    out.setPixelSize(pixels);
    out.setStyleHint(QFont::Monospace);
    return out;
}

Theme make_theme(bool dark) {
    Theme theme;
    theme.dark = dark;
    if (dark) {
        theme.window = QColor(0x1a1c1f);
        theme.panel = QColor(0x222528);
        theme.text = QColor(0xe6e8ea);
        theme.muted = QColor(0xa3a9b0);
        theme.line = QColor(0x3b3f45);
        theme.accent = QColor(0x6fb1fc);
        theme.query = QColor(0x6fb1fc);
        theme.key = QColor(0xffa657);
        theme.sink = QColor(0xff85ac);
        theme.good = QColor(0x7bc98f);
        theme.warning = QColor(0xf2b84b);
    } else {
        theme.window = QColor(0xf3f3f1);
        theme.panel = QColor(0xffffff);
        theme.text = QColor(0x1b1d20);
        theme.muted = QColor(0x5b6169);
        theme.line = QColor(0xd3d5d8);
        theme.accent = QColor(0x1c5ea6);
        theme.query = QColor(0x1c5ea6);
        theme.key = QColor(0xa64b0c);
        theme.sink = QColor(0xb81e5a);
        theme.good = QColor(0x23703a);
        theme.warning = QColor(0x8a5a00);
    }
    theme.words = QFontDatabase::systemFont(QFontDatabase::GeneralFont).family();
    theme.fixed = QFontDatabase::systemFont(QFontDatabase::FixedFont).family();
    return theme;
}

} // namespace vitrine::figure
