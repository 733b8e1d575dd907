import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadAllPages, queryClient, router } from './router';
import './styles.css';

const place = document.getElementById('root');
if (!place) throw new Error('index.html has no #root');

createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

const SETTLED_AFTER_MS = 2000;
setTimeout(() => {
  loadAllPages().catch(() => undefined); // a page that is missing is asked for again when it is opened
}, SETTLED_AFTER_MS);
