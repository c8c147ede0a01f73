#pragma once
// Light or dark, and what that means for palette, style and fonts.
#include <QObject>
#include <QVariant>

#include "views/figure/theme.h"

class QDBusVariant;

namespace vitrine::window {

enum class Scheme { system, light, dark };

/// Follows the desktop's colour scheme unless a setting overrides it.
class Appearance : public QObject {
    Q_OBJECT

public:
    explicit Appearance(QObject* parent = nullptr);

    void set_scheme(Scheme scheme);
    void set_amounts(figure::Map map);
    const figure::Theme& theme() const { return theme_; }

signals:
    void changed();

private slots:
    void portal_changed(const QString& group, const QString& key, const QDBusVariant& value);

private:
    void apply();

    Scheme scheme_ = Scheme::system;
    figure::Map amounts_ = figure::Map::cividis;
    bool system_dark_ = false;
    figure::Theme theme_;
};

} // namespace vitrine::window
