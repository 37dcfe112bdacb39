/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_EXPORT_H
#define SHIM_EXPORT_H

#define EXPORT_SYMBOL_NS_GPL(symbol, namespace)

#endif /* SHIM_EXPORT_H */
