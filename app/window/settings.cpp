#include "app/window/settings.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QSettings>
#include <QSpinBox>
#include <QThread>

namespace vitrine::window {

Preferences Preferences::load() {
    const QSettings settings;
    Preferences out;
    out.scheme = static_cast<Scheme>(std::clamp(settings.value(QStringLiteral("scheme"), 0).toInt(), 0, 2));
    out.amounts = settings.value(QStringLiteral("map")).toString() == QLatin1String("viridis")
                      ? figure::Map::viridis
                      : figure::Map::cividis;
    out.threads = std::max(0, settings.value(QStringLiteral("threads"), 0).toInt());
    return out;
}

void Preferences::save() const {
    QSettings settings;
    settings.setValue(QStringLiteral("scheme"), static_cast<int>(scheme));
    settings.setValue(QStringLiteral("map"), amounts == figure::Map::viridis ? QStringLiteral("viridis")
                                                                             : QStringLiteral("cividis"));
    settings.setValue(QStringLiteral("threads"), threads);
}

SettingsDialog::SettingsDialog(const Preferences& preferences, QWidget* parent)
    : QDialog(parent), preferences_(preferences) {
    setWindowTitle(tr("Settings"));
    auto* scheme = new QComboBox(this);
    scheme->addItems({tr("As the system"), tr("Light"), tr("Dark")});
    scheme->setCurrentIndex(static_cast<int>(preferences.scheme));
    auto* map = new QComboBox(this);
    map->addItems({tr("cividis"), tr("viridis")});
    map->setCurrentIndex(preferences.amounts == figure::Map::viridis ? 1 : 0);
    auto* threads = new QSpinBox(this);
    threads->setRange(0, 1024);
    threads->setSpecialValueText(tr("all cores (%1)").arg(QThread::idealThreadCount()));
    threads->setValue(preferences.threads);
    auto* note = new QLabel(tr("The number of threads counts from the next model on."), this);
    note->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* form = new QFormLayout(this);
    form->addRow(tr("Appearance"), scheme);
    form->addRow(tr("Colours of amounts"), map);
    form->addRow(tr("Threads"), threads);
    form->addRow(note);
    form->addRow(buttons);
    const auto tell = [this, scheme, map, threads] {
        preferences_.scheme = static_cast<Scheme>(scheme->currentIndex());
        preferences_.amounts = map->currentIndex() == 1 ? figure::Map::viridis : figure::Map::cividis;
        preferences_.threads = threads->value();
        emit changed(preferences_);
    };
    connect(scheme, &QComboBox::currentIndexChanged, this, tell);
    connect(map, &QComboBox::currentIndexChanged, this, tell);
    connect(threads, &QSpinBox::valueChanged, this, tell);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::accept);
}

} // namespace vitrine::window
