#include "app/window/appearance.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusInterface>
#include <QDBusReply>
#include <QDBusVariant>
#include <QPalette>

namespace vitrine::window {

namespace {

constexpr const char* portal = "org.freedesktop.portal.Desktop";
constexpr const char* portal_path = "/org/freedesktop/portal/desktop";
constexpr const char* portal_settings = "org.freedesktop.portal.Settings";
constexpr const char* group_name = "org.freedesktop.appearance";
constexpr const char* key_name = "color-scheme";
constexpr int portal_wait_ms = 300;

// 1 prefers dark, 2 light, 0 has no preference (org.freedesktop.appearance).
bool dark_by(const QVariant& value, bool otherwise) {
    const uint preference = value.toUInt();
    return preference == 1 ? true : preference == 2 ? false : otherwise;
}

QVariant unwrapped(QVariant value) {
    while (value.canConvert<QDBusVariant>())
        value = value.value<QDBusVariant>().variant();
    return value;
}

QColor button_colour(const figure::Theme& theme) { return theme.dark ? QColor(0x2b2f33) : QColor(0xfcfcfb); }

QPalette palette_of(const figure::Theme& theme) {
    QPalette out;
    const QColor button = button_colour(theme);
    out.setColor(QPalette::Window, theme.window);
    out.setColor(QPalette::WindowText, theme.text);
    out.setColor(QPalette::Base, theme.panel);
    out.setColor(QPalette::AlternateBase, theme.window);
    out.setColor(QPalette::Text, theme.text);
    out.setColor(QPalette::Button, button);
    out.setColor(QPalette::ButtonText, theme.text);
    out.setColor(QPalette::BrightText, theme.warning);
    out.setColor(QPalette::ToolTipBase, theme.panel);
    out.setColor(QPalette::ToolTipText, theme.text);
    out.setColor(QPalette::PlaceholderText, theme.muted);
    out.setColor(QPalette::Highlight, theme.accent);
    out.setColor(QPalette::HighlightedText, figure::text_on(theme.accent));
    out.setColor(QPalette::Link, theme.accent);
    out.setColor(QPalette::Light, theme.dark ? QColor(0x3f444a) : QColor(0xffffff));
    out.setColor(QPalette::Midlight, theme.dark ? QColor(0x34383d) : QColor(0xe9eae9));
    out.setColor(QPalette::Mid, theme.line);
    out.setColor(QPalette::Dark, theme.dark ? QColor(0x565c64) : QColor(0xb4b8bd));
    out.setColor(QPalette::Shadow, theme.dark ? QColor(Qt::black) : QColor(0x9a9ea4));
    for (const QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        out.setColor(QPalette::Disabled, role, figure::blend(theme.window, theme.muted, 0.65));
    return out;
}

// What Fusion and the palette do not say: flat tabs, thin lines, no boxes in boxes.
QString sheet_of(const figure::Theme& theme) {
    QString sheet = QStringLiteral(
        "QToolTip { color: @text; background: @panel; border: 1px solid @line; padding: 3px 5px; }"
        "QMainWindow::separator { background: @line; width: 1px; height: 1px; }"
        "QDockWidget { color: @muted; titlebar-close-icon: url(@close); titlebar-normal-icon: url(@float); }"
        "QDockWidget::close-button, QDockWidget::float-button { border: none; padding: 1px; }"
        "QDockWidget::close-button:hover, QDockWidget::float-button:hover { background: @tint; }"
        "QDockWidget::title { background: @window; padding: 5px 8px; text-align: left; }"
        "QTabWidget::pane { border: none; border-top: 1px solid @line; }"
        "QTabBar { qproperty-drawBase: 0; }"
        "QTabBar::tab { padding: 5px 5px; color: @muted; background: transparent; border: none;"
        " border-bottom: 2px solid transparent; }"
        "QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }"
        "QTabBar::tab:hover { color: @text; }"
        "QToolButton { color: @text; background: @button; border: 1px solid @line; border-radius: 3px;"
        " padding: 2px 8px; }"
        "QToolButton:hover, QToolButton:focus { border-color: @accent; }"
        "QToolButton:checked { background: @tint; border-color: @accent; }"
        "QToolButton::menu-indicator { image: none; }"
        "QCheckBox::indicator, QListView::indicator { width: 14px; height: 14px; background: @panel;"
        " border: 1px solid @muted; border-radius: 2px; }"
        "QCheckBox::indicator:checked, QListView::indicator:checked { background: @accent;"
        " border-color: @accent; image: url(@check); }"
        "QCheckBox::indicator:focus { border-color: @accent; }"
        "QCheckBox::indicator:disabled { border-color: @line; }"
        "QDialog#palette { border: 1px solid @muted; }"
        "QSplitter::handle { background: @window; }");
    const std::pair<const char*, QString> colours[] = {
        {"@text", theme.text.name()},
        {"@panel", theme.panel.name()},
        {"@line", theme.line.name()},
        {"@muted", theme.muted.name()},
        {"@window", theme.window.name()},
        {"@accent", theme.accent.name()},
        {"@button", button_colour(theme).name()},
        {"@tint", figure::blend(theme.panel, theme.accent, 0.25).name()},
        {"@close",
         theme.dark ? QStringLiteral(":/icons/close-dark.svg") : QStringLiteral(":/icons/close-light.svg")},
        {"@float",
         theme.dark ? QStringLiteral(":/icons/float-dark.svg") : QStringLiteral(":/icons/float-light.svg")},
        {"@check",
         theme.dark ? QStringLiteral(":/icons/check-dark.svg") : QStringLiteral(":/icons/check-light.svg")},
    };
    for (const auto& [name, colour] : colours)
        sheet.replace(QLatin1String(name), colour);
    return sheet;
}

} // namespace

Appearance::Appearance(QObject* parent) : QObject(parent) {
    const QPalette given = QApplication::palette();
    system_dark_ = figure::luminance(given.color(QPalette::Window)) <
                   figure::luminance(given.color(QPalette::WindowText));
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (bus.isConnected()) {
        QDBusInterface settings(portal, portal_path, portal_settings, bus);
        settings.setTimeout(portal_wait_ms);
        const QDBusReply<QVariant> reply =
            settings.call(QStringLiteral("Read"), QString(group_name), QString(key_name));
        if (reply.isValid()) system_dark_ = dark_by(unwrapped(reply.value()), system_dark_);
        bus.connect(portal, portal_path, portal_settings, QStringLiteral("SettingChanged"), this,
                    SLOT(portal_changed(QString, QString, QDBusVariant)));
    }
    QApplication::setStyle(QStringLiteral("Fusion"));
    apply();
}

void Appearance::portal_changed(const QString& group, const QString& key, const QDBusVariant& value) {
    if (group != QLatin1String(group_name) || key != QLatin1String(key_name)) return;
    system_dark_ = dark_by(unwrapped(value.variant()), false);
    apply();
}

void Appearance::set_scheme(Scheme scheme) {
    scheme_ = scheme;
    apply();
}

void Appearance::set_amounts(figure::Map map) {
    amounts_ = map;
    apply();
}

void Appearance::apply() {
    theme_ = figure::make_theme(scheme_ == Scheme::system ? system_dark_ : scheme_ == Scheme::dark);
    theme_.amounts = amounts_;
    QApplication::setPalette(palette_of(theme_));
    QFont font(theme_.words);
    font.setPixelSize(13);
    QApplication::setFont(font);
    qApp->setStyleSheet(sheet_of(theme_));
    emit changed();
}

} // namespace vitrine::window
